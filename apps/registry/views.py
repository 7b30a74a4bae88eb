"""The endpoints that SDKs register with and find a dev server by (spec 03 7.2 and 7.3)."""

from collections.abc import Callable, Mapping
from functools import wraps

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.audit.changes import Target
from apps.credentials.auditing import audit_call
from apps.credentials.caller import Caller, CredentialKind, Refused
from apps.credentials.http import caller_of
from apps.credentials.resolution import DEV_CALLER, INVALID
from apps.credentials.services.app_uses import app_key_use_record
from apps.credentials.uses import READ, SYNC, WRITE, Use
from apps.engine.protocol import signing
from apps.engine.store.client import RedisUnavailable
from apps.registry import app_urls, configuration, selectors
from apps.registry.models import App
from apps.registry.server_information import server_information
from apps.registry.services import apps, syncing
from apps.registry.validation import RegistrationError
from apps.tenancy.permissions import Permission

View = Callable[[HttpRequest, Caller], HttpResponse]

DEV_ONLY = "404 page not found\n"


def authenticated(
    use: Use, permission: Permission
) -> Callable[[View], Callable[[HttpRequest], HttpResponse]]:
    """Gives the view its caller. 401 in plain text for who is not known, shape A for what else refuses."""

    def decorate(view: View) -> Callable[[HttpRequest], HttpResponse]:
        @wraps(view)
        def checked(request: HttpRequest) -> HttpResponse:
            caller = _caller(request, use, permission)
            return _refusal(caller) if isinstance(caller, Refused) else view(request, caller)

        return checked

    return decorate


def _caller(request: HttpRequest, use: Use, permission: Permission) -> Caller | Refused:
    """Dev mode asks for a key where it was given one, and for nothing else."""
    if settings.STEPWELL_MODE != "dev":
        return caller_of(request, use=use, permission=permission)
    token = signing.bearer_token(request.headers.get("Authorization", ""))
    return DEV_CALLER if signing.bearer_matches(token, configuration.signing_keys()) else INVALID


def _refusal(refused: Refused) -> HttpResponse:
    if refused.status == 401:
        return _text("Authentication failed\n", 401)
    return _json({"code": refused.code, **_envelope(refused.message, refused.status)}, refused.status)


@csrf_exempt
@require_POST
@authenticated(SYNC, Permission.APP_SYNC)
def register(request: HttpRequest, caller: Caller) -> HttpResponse:
    """POST /fn/register."""
    kind = configuration.server_kind()
    expected = request.headers.get("X-Inngest-Expected-Server-Kind", "")
    if expected and expected != kind:
        return _json({"error": f"Expected server kind {kind}, got {expected}"}, 400)
    environment_id = caller.environment_id
    try:
        result = syncing.registration_receive(environment_id, request.body, configuration.sync_policy())
    except RedisUnavailable:
        return _json(_envelope("The functions are stored, but the engine is not reachable yet", 503), 503)
    if isinstance(result, RegistrationError):
        return _json(result.body(), result.status)
    if result.is_modified:
        _audit(request, caller, "app.sync", selectors.app_by_id(environment_id, result.app_id))
    if caller.kind == CredentialKind.SIGNING_KEY:
        app_key_use_record(
            app_id=result.app_id, environment_id=environment_id, signing_key_id=caller.credential_id
        )
    return _json(_registered(result), 200)


@csrf_exempt
@require_http_methods(["DELETE"])
@authenticated(WRITE, Permission.APP_ARCHIVE)
def remove(request: HttpRequest, caller: Caller) -> HttpResponse:
    """DELETE /fn/remove?url=<app url>: archive the app at the URL."""
    url = request.GET.get("url", "")
    app = selectors.app_by_url(caller.environment_id, app_urls.normalise_or_keep(url))
    if app is None or not apps.app_delete(caller.environment_id, app.id):
        return _json(_envelope(f"App not found: {url}", 404), 404)
    _audit(request, caller, "app.archive", app)
    return HttpResponse()


@require_GET
@authenticated(READ, Permission.VIEW)
def dev(request: HttpRequest, caller: Caller) -> HttpResponse:
    """GET /dev: how SDKs find a dev server; other servers do not have it."""
    if settings.STEPWELL_MODE != "dev":
        return _text(DEV_ONLY, 404)
    body = orjson.dumps(server_information(caller.environment_id), option=orjson.OPT_INDENT_2)
    return HttpResponse(body, content_type="application/json")


def _audit(request: HttpRequest, caller: Caller, action: str, app: App | None) -> None:
    if app is not None:
        audit_call(request, caller, action, Target("app", str(app.id), str(app)), {"url": app.url})


def _registered(result: syncing.SyncResult) -> dict[str, object]:
    answer: dict[str, object] = {
        "ok": True,
        "modified": result.is_modified,
        "sync_id": str(result.sync_id),
        "app_id": str(result.app_id),
    }
    return answer | ({"warnings": result.warnings} if result.warnings else {})


def _envelope(error: str, status: int) -> dict[str, object]:
    return {"error": error, "data": None, "status": status}


def _json(body: Mapping[str, object], status: int) -> HttpResponse:
    return HttpResponse(orjson.dumps(body) + b"\n", status=status, content_type="application/json")


def _text(body: str, status: int) -> HttpResponse:
    response = HttpResponse(body, status=status, content_type="text/plain; charset=utf-8")
    response["X-Content-Type-Options"] = "nosniff"
    return response
