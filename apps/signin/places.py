"""Where people go: which targets of redirects are our own, and where an organisation begins."""

from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme

from apps.dashboard.tenant import LAST_PLACE
from apps.tenancy.models import Account, EnvironmentType


def is_own_path(target: str) -> bool:
    """Whether it is a path of this server, without scheme and host, in the eyes of browsers too."""
    if not target.startswith("/") or not url_has_allowed_host_and_scheme(target, allowed_hosts=None):
        return False
    parts = urlsplit(target)
    return not parts.scheme and not parts.netloc


def lead_away(request: HttpRequest, target: str) -> HttpResponse:
    """To a page instead of the one that was asked for."""
    if "HX-Request" in request.headers:  # htmx would put the page into a part of the present one
        return HttpResponse(status=401, headers={"HX-Redirect": target})
    return HttpResponseRedirect(target)


def home_of(account: Account) -> str:
    """The runs of its production environment."""
    place = _place_of(account)
    return f"/o/{place}/runs" if place else "/orgs"


def remember(request: HttpRequest, account: Account) -> None:
    """Pages that name no organisation are those of this one from now on."""
    place = _place_of(account)
    if place:
        request.session[LAST_PLACE] = place


def _place_of(account: Account) -> str | None:
    production = account.environments.filter(archived_at=None, type=EnvironmentType.PRODUCTION)
    environment = production.order_by("created_at").first()
    return f"{account.slug}/env/{environment.slug}" if environment else None
