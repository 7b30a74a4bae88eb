"""What the pages of keys, webhooks and settings have in common."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from apps.dashboard.fragments import is_fragment, render_dialog, render_page
from apps.dashboard.permissions import requires
from apps.dashboard.places import environment_url, organisation_url
from apps.dashboard.server_only import server_only
from apps.dashboard.tenant import access_of, environment_of
from apps.tenancy.exceptions import TenancyError
from apps.tenancy.permissions import Permission

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def manage_page(
    permission: Permission = Permission.VIEW, *, shared: str = "dashboard:event-keys", section: str = "keys"
) -> Callable[[View[P]], View[P]]:
    """A page of what branches share: in a branch it leads to `shared` of their parent instead."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def entered(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if environment_of(request).parent_id is not None:
                return _of_parent(request, shared, section)
            return view(request, *args, **kwargs)

        return server_only(requires(permission)(cast("View[P]", entered)))

    return decorate


def _of_parent(request: HttpRequest, shared: str, section: str) -> HttpResponse:
    access, branch = access_of(request), environment_of(request)
    parent = branch.parent
    url = environment_url(access.account, parent, shared) if parent is not None else ""
    context = {"branch": branch, "url": url, "all_url": organisation_url(access.account, "environments")}
    return render_page(request, "manage/branch.html", context, section=section)


def show_secret(
    request: HttpRequest, reveal: Callable[[], str], *, dom_id: str, label: str, back_url: str, section: str
) -> HttpResponse:
    """A secret that was asked for: as text for the copy button, into its place on the page, or as a page."""
    try:
        value = reveal()
    except TenancyError as refused:
        return HttpResponse(str(refused), status=refused.status, content_type="text/plain")
    if request.headers.get("Accept") == "text/plain":
        response = HttpResponse(value, content_type="text/plain")
    elif is_fragment(request, dom_id):
        context = {"dom_id": dom_id, "label": label, "value": value}
        response = render_page(
            request, "manage/_secret.html", context, fragments={dom_id: "manage/_secret.html"}
        )
    else:
        context = {
            "dialog_title": label,
            "value": value,
            "dom_id": dom_id,
            "label": label,
            "back_url": back_url,
        }
        response = render_dialog(request, "manage/secret.html", context, section=section)
    patch_vary_headers(response, ["Accept"])
    response["Cache-Control"] = "no-store"
    return response
