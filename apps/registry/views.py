"""The endpoints that SDKs register with and find a dev server by (spec 03 7.2 and 7.3)."""

from collections.abc import Callable, Mapping
from functools import wraps

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.engine.protocol import signing
from apps.engine.store.client import RedisUnavailable
from apps.registry import configuration
from apps.registry.server_information import server_information
from apps.registry.services import apps, syncing
from apps.registry.validation import RegistrationError
from apps.tenancy.models import DEV_ENVIRONMENT_ID

View = Callable[[HttpRequest], HttpResponse]


def signing_key_required(view: View) -> View:
    """401 unless the bearer token is a signing key or its hash; open where no key is configured."""

    @wraps(view)
    def checked(request: HttpRequest) -> HttpResponse:
        token = signing.bearer_token(request.headers.get("Authorization", ""))
        if not signing.bearer_matches(token, configuration.signing_keys()):
            return _text("Authentication failed\n", 401)
        return view(request)

    return checked


@csrf_exempt
@require_POST
@signing_key_required
def register(request: HttpRequest) -> HttpResponse:
    """POST /fn/register."""
    kind = configuration.server_kind()
    expected = request.headers.get("X-Inngest-Expected-Server-Kind", "")
    if expected and expected != kind:
        return _json({"error": f"Expected server kind {kind}, got {expected}"}, 400)
    try:
        result = syncing.registration_receive(DEV_ENVIRONMENT_ID, request.body, configuration.sync_policy())
    except RedisUnavailable:
        return _json(_envelope("The functions are stored, but the engine is not reachable yet", 503), 503)
    if isinstance(result, RegistrationError):
        return _json(result.body(), result.status)
    return _json(_registered(result), 200)


@csrf_exempt
@require_http_methods(["DELETE"])
@signing_key_required
def remove(request: HttpRequest) -> HttpResponse:
    """DELETE /fn/remove?url=<app url>: archive the app at the URL."""
    url = request.GET.get("url", "")
    if not apps.app_remove_by_url(DEV_ENVIRONMENT_ID, url):
        return _json(_envelope(f"App not found: {url}", 404), 404)
    return HttpResponse()


@require_GET
@signing_key_required
def dev(request: HttpRequest) -> HttpResponse:
    """GET /dev: how SDKs find a dev server; other servers do not have it."""
    if settings.STEPWELL_MODE != "dev":
        return _text("404 page not found\n", 404)
    body = orjson.dumps(server_information(DEV_ENVIRONMENT_ID), option=orjson.OPT_INDENT_2)
    return HttpResponse(body, content_type="application/json")


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
