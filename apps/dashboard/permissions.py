"""What a view asks of the person (spec 05, 1.3)."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.http import HttpRequest, HttpResponse

from apps.dashboard.fragments import is_fragment, render_page
from apps.dashboard.places import organisation_url
from apps.dashboard.tenant import access_of
from apps.tenancy.exceptions import Forbidden, TenancyError
from apps.tenancy.permissions import Permission

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def requires(permission: Permission, *, to_write: Permission | None = None) -> Callable[[View[P]], View[P]]:
    """Refuse whoever lacks the permission; `to_write` is asked for too where the method changes something.

    The refusal names the permission and who has it. The decorated view carries both for the isolation tests.
    """

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            access = access_of(request)
            try:
                access.require(permission)
                if to_write is not None and request.method not in ("GET", "HEAD"):
                    access.require(to_write)
            except TenancyError as refused:
                return refusal(request, refused)
            return view(request, *args, **kwargs)

        guarded.permissions = (permission, to_write)  # type: ignore[attr-defined]
        return cast("View[P]", guarded)

    return decorate


def refusal(request: HttpRequest, refused: TenancyError) -> HttpResponse:
    template = "refused.html"
    fragments = {"dialog-body": "_refused_dialog.html"} if is_fragment(request) else {}
    context = {"refused": refused, "dialog_title": "Not allowed", **_who_helps(request, refused)}
    return render_page(request, template, context, fragments=fragments, status=refused.status)


def _who_helps(request: HttpRequest, refused: TenancyError) -> dict[str, str]:
    """For members who lack a permission: their own role, and where those are listed who have another."""
    access = access_of(request)
    if not isinstance(refused, Forbidden) or access.role is None:
        return {}
    return {
        "own_role": access.role.label.lower(),
        "organisation": access.account.name,
        "members_url": organisation_url(access.account, "members"),
    }
