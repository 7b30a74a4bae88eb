"""Which organisation and environment a page is about, and what the person may do there (spec 05, 5.1).

In server mode the pages of an environment live below `/o/<organisation>/env/<environment>`. That prefix is
resolved here, once, taken off the path and set as the script prefix, so that every page, link and reversed
URL below works as it does in dev mode, where there is none. Pages of an organisation live below
`/o/<organisation>` and keep their path. What names no organisation leads to the one used last.
"""

import re
from typing import Final, cast
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import Resolver404, ResolverMatch, get_script_prefix, resolve, reverse, set_script_prefix
from django.utils.deprecation import MiddlewareMixin

from apps.dashboard import support
from apps.identity.models import User
from apps.tenancy.access import Access, access_for
from apps.tenancy.exceptions import NotFound
from apps.tenancy.models import DEV_ENVIRONMENT_ID, Environment, EnvironmentType
from apps.tenancy.permissions import Permission
from apps.tenancy.row_security import enter_request
from apps.tenancy.services.memberships import membership_seen

PAGES_URLCONF: Final = "apps.dashboard.tenant_urls"
LAST_PLACE: Final = "last_place"  # in the session: "<organisation>/env/<environment>"
_PLACE: Final = re.compile(r"/o/(?P<org>[^/]+)(?:/env/(?P<env>[^/]+)(?P<rest>/.*)?)?(?:/|$)")
_SIGN_IN: Final = "/sign-in"


class TenantMiddleware(MiddlewareMixin):
    """Needs the session and the user before it. Sets `request.access`; dev mode has no places."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        if settings.STEPWELL_MODE == "dev":
            return None
        place = _PLACE.match(request.path_info)
        if place is None:
            return _to_last_place(request)
        if not isinstance(request.user, User):
            return to_sign_in(request)
        return _enter(request, request.user, place)


def _enter(request: HttpRequest, user: User, place: re.Match[str]) -> HttpResponse | None:
    org, env = place["org"], place["env"]
    access = access_to(request, user, org, env)
    request.access = access  # type: ignore[attr-defined]
    if access.membership is not None:
        membership_seen(membership=access.membership)
    environment_id = access.environment.id if access.environment else None
    enter_request(request, access.account.id, environment_id, user.id)
    if env is None:
        return None
    _remember(request, f"{org}/env/{env}")
    request.path_info = place["rest"] or "/"
    request.urlconf = PAGES_URLCONF
    set_script_prefix(f"/o/{org}/env/{env}/")
    return None


def access_to(request: HttpRequest, user: User, org: str, env: str | None) -> Access:
    """A member's, else that of an operator who looks into the organisation. Raises Http404."""
    try:
        return access_for(user, org, env)
    except NotFound as refused:
        access = support.access_of_support(request, user, org, env)
        if access is None:
            raise Http404(str(refused)) from refused
        return access


def _remember(request: HttpRequest, place: str) -> None:
    if request.session.get(LAST_PLACE) != place:
        request.session[LAST_PLACE] = place


def _to_last_place(request: HttpRequest) -> HttpResponse | None:
    """A page that names no organisation; everything else is left alone."""
    if request.method not in ("GET", "HEAD") or not _is_page(request.path_info):
        return None
    if not isinstance(request.user, User):
        return to_sign_in(request)
    place = request.session.get(LAST_PLACE) or _first_place(request.user)
    if place is None:
        return HttpResponseRedirect("/orgs")
    return HttpResponseRedirect(f"/o/{place}{request.get_full_path()}")


def _is_page(path: str) -> bool:
    try:
        match: ResolverMatch = resolve(path, urlconf=settings.ROOT_URLCONF)
    except Resolver404:
        return False
    return match.namespace == "dashboard"


def _first_place(user: User) -> str | None:
    """The production environment of an organisation of the user."""
    environments = Environment.objects.filter(
        account__memberships__user=user, type=EnvironmentType.PRODUCTION, archived_at=None
    )
    first = environments.order_by("account__memberships__joined_at").select_related("account").first()
    return f"{first.account.slug}/env/{first.slug}" if first else None


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """After signing in, a page that was asked for by GET is gone to; a form has to be sent again."""
    following = request.get_full_path() if request.method == "GET" else "/"
    return HttpResponseRedirect(f"{_SIGN_IN}?{urlencode({'next': following})}")


def access_of(request: HttpRequest) -> Access:
    """What the person may do where the page is; everything in dev mode, which is for one developer."""
    access = getattr(request, "access", None)
    if access is None:
        if settings.STEPWELL_MODE != "dev":
            raise Http404("no organisation is named")
        access = request.access = _developer()  # type: ignore[attr-defined]
    return cast("Access", access)


def _developer() -> Access:
    environment = Environment.objects.select_related("account").get(id=DEV_ENVIRONMENT_ID)
    return Access(environment.account, None, environment, frozenset(Permission))


def environment_of(request: HttpRequest) -> Environment:
    environment = access_of(request).environment
    if environment is None:
        raise Http404("no environment is named")
    return environment


def root_url(name: str, *args: object, **kwargs: object) -> str:
    """The path of a page that belongs to no environment, from wherever it is linked."""
    url = reverse(name, urlconf=settings.ROOT_URLCONF, args=args or None, kwargs=kwargs or None)
    return "/" + url.removeprefix(get_script_prefix())
