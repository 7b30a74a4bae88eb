"""Addresses that name no organisation, and lead to the place of what they name (spec 05, 5.1)."""

from collections.abc import Callable

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.encoding import escape_uri_path
from django.views.decorators.http import require_safe

from apps.dashboard.finding import environment_named, environment_of_event, environment_of_run
from apps.dashboard.places import environment_root, environment_url
from apps.dashboard.tenant import to_sign_in
from apps.identity.models import User
from apps.tenancy.models import Environment

Find = Callable[[HttpRequest, User, str], Environment]


@require_safe
def run(request: HttpRequest, run_id: str) -> HttpResponse:
    return _lead(request, environment_of_run, "dashboard:run", run_id.upper())


@require_safe
def event(request: HttpRequest, internal_id: str) -> HttpResponse:
    return _lead(request, environment_of_event, "dashboard:event", internal_id.upper())


@require_safe
def environment(request: HttpRequest, env: str, rest: str | None = None) -> HttpResponse:
    """The same page in the organisation used last that has an environment of this name."""
    if settings.STEPWELL_MODE == "dev":
        raise Http404("dev mode has no environments")
    if not isinstance(request.user, User):
        return to_sign_in(request)
    found = environment_named(request, request.user, env)
    path = environment_root(found.account, found) + escape_uri_path(rest or "/")
    return _redirect(request, path)


def _lead(request: HttpRequest, find: Find, page: str, wanted: str) -> HttpResponse:
    if settings.STEPWELL_MODE == "dev":
        return _redirect(request, reverse(page, args=[wanted]))
    if not isinstance(request.user, User):
        return to_sign_in(request)
    found = find(request, request.user, wanted)
    return _redirect(request, environment_url(found.account, found, page, wanted))


def _redirect(request: HttpRequest, path: str) -> HttpResponse:
    query = request.META.get("QUERY_STRING", "")
    response = HttpResponseRedirect(f"{path}?{query}" if query else path)
    response["Cache-Control"] = "no-store"
    return response
