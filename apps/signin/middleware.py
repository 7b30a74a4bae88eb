"""Who gets to see a page: in server mode people who have signed in, and on a fresh server its owner-to-be.

The interfaces of SDKs and integrations have credentials of their own and pass.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final, cast
from urllib.parse import urlencode

from allauth.usersessions.models import UserSession
from asgiref.sync import iscoroutinefunction, sync_to_async
from django.conf import settings
from django.contrib.auth import logout
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import ResolverMatch
from django.utils.decorators import sync_and_async_middleware
from redis.exceptions import RedisError

from apps.identity.models import User
from apps.signin.places import lead_away
from apps.signin.session_limits import is_over
from apps.signin.two_factor import ask_for_second_factor
from apps.signin.urls import NAMES
from apps.tenancy import networks
from apps.tenancy.access import Access
from apps.tenancy.exceptions import AddressDenied

SEEN_SECONDS: Final = 60
BACKGROUND_HEADER: Final = "X-Stepwell-Background"  # sent by static/js/controllers/live.js
_PAGES: Final = frozenset({"dashboard", "organisation", "admin"})
_SETUP: Final = "signin_setup"

Handler = Callable[[HttpRequest], HttpResponse]
AsyncHandler = Callable[[HttpRequest], Awaitable[HttpResponse]]


@sync_and_async_middleware
def entrance(get_response: Handler | AsyncHandler) -> Handler | AsyncHandler:
    """Needs the middlewares of sessions and authentication before it."""
    if iscoroutinefunction(get_response):
        return _async_handler(cast("AsyncHandler", get_response))
    return _handler(cast("Handler", get_response))


def _handler(get_response: Handler) -> Handler:
    def answer(request: HttpRequest) -> HttpResponse:
        jobs = _with_jobs(request)
        return _closing_with(jobs, get_response(request))

    def process_view(request: HttpRequest, *view: Any) -> HttpResponse | None:
        return _admit(request) if _concerns(request) else None

    answer.process_view = process_view  # type: ignore[attr-defined]
    return answer


def _async_handler(get_response: AsyncHandler) -> AsyncHandler:
    async def answer(request: HttpRequest) -> HttpResponse:
        jobs = _with_jobs(request)
        return _closing_with(jobs, await get_response(request))

    async def process_view(request: HttpRequest, *view: Any) -> HttpResponse | None:
        return await sync_to_async(_admit)(request) if _concerns(request) else None

    answer.process_view = process_view  # type: ignore[attr-defined]
    return answer


def _with_jobs(request: HttpRequest) -> list[Callable[[], None]]:
    jobs: list[Callable[[], None]] = []
    request.after_answer = jobs  # type: ignore[attr-defined]
    return jobs


def _closing_with(jobs: list[Callable[[], None]], response: HttpResponse) -> HttpResponse:
    """Django runs these once the answer is sent."""
    response._resource_closers.extend(jobs)  # type: ignore[attr-defined]
    return response


def _concerns(request: HttpRequest) -> bool:
    """Pages, and whatever else a session opens: GraphQL on the pages of an environment."""
    match = request.resolver_match
    if match is None:
        return False
    return _is_entrance(match) or _is_page(match) or getattr(request, "access", None) is not None


def _is_entrance(match: ResolverMatch) -> bool:
    return not match.namespaces and match.url_name in NAMES


def _is_page(match: ResolverMatch) -> bool:
    return bool(match.namespaces) and match.namespaces[0] in _PAGES


def _admit(request: HttpRequest) -> HttpResponse | None:
    """None lets the request through to its view."""
    match = cast("ResolverMatch", request.resolver_match)
    if settings.STEPWELL_MODE == "dev":
        return _home_only(request) if _is_entrance(match) else None
    if isinstance(request.user, User):
        if _is_session_over(request, request.user):
            logout(request)
            return lead_away(request, _sign_in(request))
        _refuse_library_login(match)
        return _refuse_address(request) or _ask_of_member(request, request.user)
    if match.url_name != _SETUP and not User.objects.exists():
        return lead_away(request, "/setup")
    return None if _is_entrance(match) else lead_away(request, _sign_in(request))


def _home_only(request: HttpRequest) -> HttpResponse:
    """Nobody signs in to a development server."""
    if request.method not in ("GET", "HEAD"):
        raise Http404
    return HttpResponseRedirect("/")


def _refuse_library_login(match: ResolverMatch) -> None:
    """Django's admin has a login of its own, without a second factor: nobody gets there."""
    if match.view_name == "admin:login":
        raise Http404


def _ask_of_member(request: HttpRequest, user: User) -> HttpResponse | None:
    access: Access | None = getattr(request, "access", None)
    return None if access is None else ask_for_second_factor(request, user, access.account)


def _sign_in(request: HttpRequest) -> str:
    """And back, for what can be asked for again."""
    if request.method != "GET":
        return "/sign-in"
    return f"/sign-in?{urlencode({'next': request.get_full_path()})}"


def _refuse_address(request: HttpRequest) -> HttpResponse | None:
    """An organisation may be seen from its own networks only; its support access has a rule of its own."""
    access: Access | None = getattr(request, "access", None)
    if access is None or access.is_support:
        return None
    if networks.contains(access.account.allowed_networks, request.META.get("REMOTE_ADDR")):
        return None
    return render(request, "signin/forbidden.html", {"reason": AddressDenied.__doc__}, status=403)


def _is_session_over(request: HttpRequest, user: User) -> bool:
    """Looked at once a minute, and noted then for the list of sessions: when and from where it was last used.
    A page that brings itself up to date is no use by a person."""
    key = request.session.session_key or ""
    is_use = BACKGROUND_HEADER not in request.headers
    if not _is_due(f"session-{'seen' if is_use else 'looked-at'}:{key}"):
        return False
    if is_over(user, key, request.session):
        return True
    if is_use:
        UserSession.objects.create_from_request(request)
    return False


def _is_due(name: str) -> bool:
    """Each time while Redis is away."""
    try:
        return bool(cache.add(name, True, SEEN_SECONDS))
    except RedisError:
        return True
