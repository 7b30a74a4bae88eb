"""Another service is connected: a person approves the webhook that it asks for (spec 05, 2.5)."""

from collections.abc import Mapping
from typing import Final, cast
from urllib.parse import urlencode, urlsplit

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from apps.audit.http import actor_of
from apps.dashboard.pages.webhook_intent import IntentPage, intent_page, intent_url
from apps.dashboard.permissions import requires
from apps.dashboard.server_only import server_only
from apps.dashboard.snippets import origin
from apps.dashboard.tenant import access_of, environment_of, root_url
from apps.identity.models import User
from apps.tenancy.exceptions import TenancyError
from apps.tenancy.permissions import Permission
from apps.webhooks.intents import Intent, IntentInvalid, PrefixInvalid, checked_prefix, intent_from
from apps.webhooks.services.intents import webhook_connect

_TEMPLATE: Final = "manage/webhook_intent.html"


@require_GET
@server_only
@requires(Permission.VIEW)
def webhook_intent(request: HttpRequest) -> HttpResponse:
    """What is wrong with the link is said here, and leads nowhere."""
    try:
        page = _intent_page(request, request.GET)
    except IntentInvalid as problem:
        return _answer(request, {"problem": str(problem)}, 422)
    elsewhere = _elsewhere(request, page)
    return HttpResponseRedirect(elsewhere) if elsewhere else _page(request, page)


@require_POST
@server_only
@requires(Permission.WEBHOOK_MANAGE)
def approve(request: HttpRequest) -> HttpResponse:
    prefix = request.POST.get("prefix", "")
    try:
        page = _intent_page(request, request.POST)
    except IntentInvalid as problem:
        return _answer(request, {"problem": str(problem)}, 422)
    try:
        key = _connected(request, page, checked_prefix(prefix))
    except PrefixInvalid as problem:
        return _page(request, page, prefix=prefix, prefix_error=str(problem))
    except TenancyError as refused:
        return _page(request, page, prefix=prefix, problem=str(refused))
    return _leave(page.intent.answer(url=f"{origin(request)}/e/{key}"))


def _intent_page(request: HttpRequest, sent: Mapping[str, str]) -> IntentPage:
    intent = intent_from(sent)
    return intent_page(access_of(request), environment_of(request), cast("User", request.user), intent)


def _connected(request: HttpRequest, page: IntentPage, prefix: str) -> str:
    """The key of the new webhook."""
    access_of(request).require(Permission.EVENT_KEY_REVEAL)
    _, key = webhook_connect(
        environment=page.environment, intent=page.intent, prefix=prefix, actor=actor_of(request)
    )
    return key


def _elsewhere(request: HttpRequest, page: IntentPage) -> str:
    """Where the person has chosen to go, or can do it where they cannot here; empty: it is done here."""
    wanted, named = request.GET.get("organisation", ""), request.GET.get("environment", "")
    if wanted and wanted != page.account.slug:
        return _in_organisation(page, wanted)
    if named and named != page.environment.slug:
        chosen = next((row for row in page.environments if row.slug == named), None)
        if chosen is None:
            raise Http404("no such environment")
        return intent_url(page.account, chosen, page.intent)
    if not page.is_possible and page.environments:
        return intent_url(page.account, page.environments[0], page.intent)
    return ""


def _in_organisation(page: IntentPage, slug: str) -> str:
    """To where the person was last in it, or may be; from there on it is as here."""
    if slug not in {account.slug for account in page.organisations}:
        raise Http404("no such organisation")
    query = urlencode({"org": slug, "next": f"/intent/create-webhook?{urlencode(page.fields)}"})
    return f"{root_url('signin_switch')}?{query}"


def _leave(url: str) -> HttpResponse:
    response = HttpResponseRedirect(url)
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response


def _page(request: HttpRequest, page: IntentPage, **more: str) -> HttpResponse:
    context = {"page": page, "prefix": page.intent.prefix, **more}
    return _answer(request, context, 422 if request.method == "POST" else 200, page.intent)


def _answer(
    request: HttpRequest, context: dict[str, object], status: int, intent: Intent | None = None
) -> HttpResponse:
    response = render(request, _TEMPLATE, context, status=status)
    response["Cache-Control"] = "no-store"
    if intent is not None:
        _let_form_leave(response, intent)
    return response


def _let_form_leave(response: HttpResponse, intent: Intent) -> None:
    """Chromium holds each redirect after a form against `form-action`, also those of the service itself,
    which may go from one of its hosts to another."""
    target = "https:" if urlsplit(intent.redirect_uri).scheme == "https" else f"http://{intent.host}"
    response._csp_update = {"form-action": [target]}  # type: ignore[attr-defined]
