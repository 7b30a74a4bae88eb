"""The settings of an organisation, and its end (spec 05, 5.5)."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.audit.actors import Actor
from apps.audit.http import actor_of
from apps.dashboard.forms import Field, Form, attempt, change
from apps.dashboard.fragments import redirect, render_page
from apps.dashboard.gates import gate_of
from apps.dashboard.pages.organisation_settings import Refused, settings_of, settings_url
from apps.dashboard.places import organisation_url
from apps.dashboard.views.organisation.entering import organisation_page
from apps.identity.models import User
from apps.signin.two_factor import has_second_factor
from apps.tenancy.access import Access
from apps.tenancy.exceptions import InvalidDays, InvalidSessionLimit, TenancyError
from apps.tenancy.models import Account
from apps.tenancy.permissions import Permission
from apps.tenancy.services import accounts

SECTION = "org-general"


@require_GET
@organisation_page()
def general(request: HttpRequest, access: Access) -> HttpResponse:
    return _render(request, access)


def _render(request: HttpRequest, access: Access, refused: Refused | None = None) -> HttpResponse:
    account = access.account
    context = {
        "account": account,
        "gate": gate_of(access, Permission.ACCOUNT_MANAGE),
        "delete_gate": gate_of(access, Permission.ACCOUNT_DELETE),
        "settings": settings_of(account, refused),
        "save": {what.replace("-", "_"): settings_url(account, what) for what in SETTINGS},
        "delete_url": organisation_url(account, "delete"),
        "undo_url": organisation_url(account, "delete-undo"),
    }
    status = 422 if refused else 200
    return render_page(request, "organisation/general.html", context, section=SECTION, status=status)


@require_POST
@organisation_page(Permission.ACCOUNT_MANAGE)
def save(request: HttpRequest, access: Access, what: str) -> HttpResponse:
    """What is refused comes back as it was typed, with the reason at its field."""
    if what not in SETTINGS:
        raise Http404("no such setting")
    if what == "two-factor" and "value" in request.POST and not _has_second_factor(request):
        messages.error(request, "Set up a second factor for yourself first, in your profile.")
        return redirect(request, _page(access))
    value = request.POST.get("value", "")
    try:
        SETTINGS[what](access.account, value, actor_of(request))
    except TenancyError as problem:
        access.account.refresh_from_db()
        return _render(request, access, Refused(what, value, str(problem)))
    messages.success(request, "The setting is saved.")
    return redirect(request, _page(access))


@require_http_methods(["GET", "POST"])
@organisation_page(Permission.ACCOUNT_DELETE)
def delete(request: HttpRequest, access: Access) -> HttpResponse:
    account, typed = access.account, request.POST.get("name", "")
    form = Form(
        title=f"Delete {account.name}?",
        action=request.path,
        back_url=_page(access),
        submit="Delete in 7 days",
        icon="trash-2",
        text="It is read-only from now on: its functions start nothing, its keys accept nothing. After 7 "
        "days it is gone with everything in it. Until then an owner can undo this.",
        fields=[Field("name", f"Type {account.name} to delete it", typed)],
        back_label="Keep it",
        is_danger=True,
    )
    return change(
        request,
        form,
        SECTION,
        lambda: accounts.account_delete_request(account=account, typed_name=typed, actor=actor_of(request)),
        f"{account.name} is deleted in 7 days.",
    )


@require_POST
@organisation_page(Permission.ACCOUNT_DELETE)
def undo(request: HttpRequest, access: Access) -> HttpResponse:
    return attempt(
        request,
        _page(access),
        lambda: accounts.account_delete_undo(account=access.account, actor=actor_of(request)),
        f"{access.account.name} stays.",
    )


def _rename(account: Account, value: str, actor: Actor) -> object:
    return accounts.account_rename(account=account, name=value, actor=actor)


def _security_email(account: Account, value: str, actor: Actor) -> object:
    return accounts.account_set_security_email(account=account, email=value, actor=actor)


def _two_factor(account: Account, value: str, actor: Actor) -> object:
    return accounts.account_set_two_factor(account=account, is_required=bool(value), actor=actor)


def _support(account: Account, value: str, actor: Actor) -> object:
    return accounts.account_set_support_access(account=account, is_allowed=bool(value), actor=actor)


def _branch_days(account: Account, value: str, actor: Actor) -> object:
    if not (value.isascii() and value.isdigit() and len(value) < 5):
        raise InvalidDays
    return accounts.account_set_branch_archive_days(account=account, days=int(value), actor=actor)


def _session_hours(account: Account, value: str, actor: Actor) -> object:
    return accounts.account_set_session_hours(account=account, hours=_limit(value), actor=actor)


def _idle_minutes(account: Account, value: str, actor: Actor) -> object:
    return accounts.account_set_idle_minutes(account=account, minutes=_limit(value), actor=actor)


def _limit(value: str) -> int | None:
    if not value:
        return None
    if not (value.isascii() and value.isdigit() and len(value) < 6):
        raise InvalidSessionLimit
    return int(value)


def _networks(account: Account, value: str, actor: Actor) -> object:
    return accounts.account_set_networks(account=account, text=value, actor=actor)


SETTINGS: dict[str, Callable[[Account, str, Any], object]] = {
    "name": _rename,
    "security-email": _security_email,
    "two-factor": _two_factor,
    "support": _support,
    "session-hours": _session_hours,
    "idle-minutes": _idle_minutes,
    "networks": _networks,
    "branch-days": _branch_days,
}


def _has_second_factor(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and has_second_factor(request.user)


def _page(access: Access) -> str:
    return organisation_url(access.account, "general")
