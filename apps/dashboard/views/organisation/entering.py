"""What every page of an organisation begins with."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.http import HttpRequest, HttpResponse

from apps.dashboard.permissions import refusal
from apps.dashboard.server_only import server_only
from apps.dashboard.tenant import access_of
from apps.tenancy.access import Access
from apps.tenancy.exceptions import TenancyError
from apps.tenancy.permissions import Permission

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, Access, P], HttpResponse]
Routed = Callable[Concatenate[HttpRequest, str, P], HttpResponse]


def organisation_page(permission: Permission | None = None) -> Callable[[View[P]], Routed[P]]:
    """For members with the permission, or for all of them; the view gets their access in place of the slug.

    Where the URL names no organisation of theirs, the middleware has answered already.
    """

    def decorate(view: View[P]) -> Routed[P]:
        @wraps(view)
        def entered(request: HttpRequest, org: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            access = access_of(request)
            try:
                if permission is not None:
                    access.require(permission)
            except TenancyError as refused:
                return refusal(request, refused)
            return view(request, access, *args, **kwargs)

        entered.permissions = (permission, None)  # type: ignore[attr-defined]
        return server_only(cast("Routed[P]", entered))

    return decorate
