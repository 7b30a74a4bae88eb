"""API keys (spec 05, 2.3): for integrations, with permissions of their own, shown once."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from apps.audit.http import actor_of
from apps.credentials import selectors
from apps.credentials.models import ApiKey
from apps.credentials.permissions import PRESETS
from apps.credentials.services import api_key_create, api_key_rename, api_key_revoke
from apps.credentials.wording import PRESET_WORDS
from apps.dashboard.forms import Field, Form, change, rename_form, render_form
from apps.dashboard.fragments import render_dialog, render_page
from apps.dashboard.gates import gate_of
from apps.dashboard.pages.api_keys import api_key_rows, permission_choices
from apps.dashboard.places import organisation_url
from apps.dashboard.selectors.environments import own_environments
from apps.dashboard.views.organisation.entering import organisation_page
from apps.tenancy.access import Access
from apps.tenancy.exceptions import TenancyError
from apps.tenancy.models import Environment
from apps.tenancy.permissions import Permission

SECTION = "org-api-keys"
_EVERYWHERE: Final = "all"
_CUSTOM: Final = "custom"
_LIFETIMES: Final = (("", "Never"), ("30", "30 days"), ("90", "90 days"), ("365", "A year"))


@require_GET
@organisation_page(Permission.VIEW)
def api_keys(request: HttpRequest, access: Access) -> HttpResponse:
    context = {
        "rows": api_key_rows(access),
        "gate": gate_of(access, Permission.API_KEY_MANAGE),
        "create_url": organisation_url(access.account, "api-key-create"),
    }
    return render_page(request, "organisation/api_keys.html", context, section=SECTION)


@require_http_methods(["GET", "POST"])
@organisation_page(Permission.API_KEY_MANAGE)
def create(request: HttpRequest, access: Access) -> HttpResponse:
    form = _create_form(request, access)
    if request.method == "GET":
        return render_form(request, form, SECTION)
    try:
        key, plaintext = api_key_create(
            account=access.account,
            environment=_chosen_environment(request, access),
            name=request.POST.get("name", ""),
            permissions=_chosen_permissions(request),
            expires_at=_expiry(request.POST.get("lifetime", "")),
            actor=actor_of(request),
        )
    except TenancyError as refused:
        return render_form(request, form, SECTION, refused)
    context = {"dialog_title": f"{key.name} is made", "plaintext": plaintext, "back_url": _list(access)}
    return render_dialog(request, "organisation/api_key_made.html", context, section=SECTION)


@require_http_methods(["GET", "POST"])
@organisation_page(Permission.API_KEY_MANAGE)
def rename(request: HttpRequest, access: Access, key_id: UUID) -> HttpResponse:
    key = _key(access, key_id)
    form, name = rename_form(request, key.name, _list(access))
    return change(
        request,
        form,
        SECTION,
        lambda: api_key_rename(api_key=key, name=name, actor=actor_of(request)),
        "The key has its new name.",
    )


@require_http_methods(["GET", "POST"])
@organisation_page(Permission.API_KEY_MANAGE)
def revoke(request: HttpRequest, access: Access, key_id: UUID) -> HttpResponse:
    key = _key(access, key_id)
    form = Form(
        title=f"Revoke {key.name}?",
        action=request.path,
        back_url=_list(access),
        submit="Revoke",
        icon="trash-2",
        text="Whoever uses it loses access at once, and it does not come back.",
        is_danger=True,
    )
    return change(
        request,
        form,
        SECTION,
        lambda: api_key_revoke(api_key=key, actor=actor_of(request)),
        f"{key.name} is revoked.",
    )


def _create_form(request: HttpRequest, access: Access) -> Form:
    own = own_environments(access)
    production = next((str(row.id) for row in own if row.is_production), _EVERYWHERE)
    places = [(str(row.id), row.name) for row in own] + [(_EVERYWHERE, "All environments")]
    sent = request.POST
    return Form(
        title="New API key",
        action=request.path,
        back_url=_list(access),
        submit="Create key",
        icon="plus",
        fields=[
            Field("name", "Name", sent.get("name", ""), placeholder="Deploys from CI"),
            Field(
                "environment",
                "Environment",
                sent.get("environment", production),
                "select",
                "A key of the branch environments is good for each branch.",
                places,
            ),
            Field("preset", "May", sent.get("preset", "read-only"), "select", choices=_presets()),
            Field(
                "permissions",
                "Exactly this",
                sent.getlist("permissions"),
                "checks",
                "A request that needs anything else is refused, and the refusal names what is missing.",
                permission_choices(),
            ),
            Field("lifetime", "Expires after", sent.get("lifetime", ""), "select", choices=_LIFETIMES),
        ],
    )


def _presets() -> list[tuple[str, str]]:
    return [(preset, PRESET_WORDS[preset]) for preset in PRESETS] + [(_CUSTOM, "What I choose")]


def _chosen_permissions(request: HttpRequest) -> frozenset[Permission]:
    """Those of the preset, or the ticked ones; empty for what no form of ours holds."""
    preset = request.POST.get("preset", "")
    if preset != _CUSTOM:
        return PRESETS.get(preset, frozenset())
    ticked = request.POST.getlist("permissions")
    known = {permission.value for permission in Permission}
    return frozenset(map(Permission, ticked)) if known.issuperset(ticked) else frozenset()


def _chosen_environment(request: HttpRequest, access: Access) -> Environment | None:
    """None: all of them. Raises Http404 for what no form of ours holds."""
    chosen = request.POST.get("environment", "")
    if chosen == _EVERYWHERE:
        return None
    found = next((row for row in own_environments(access) if str(row.id) == chosen), None)
    if found is None:
        raise Http404("no such environment")
    return found


def _expiry(days: str) -> datetime | None:
    known = {value for value, _ in _LIFETIMES if value}
    return timezone.now() + timedelta(days=int(days)) if days in known else None


def _list(access: Access) -> str:
    return organisation_url(access.account, "api-keys")


def _key(access: Access, key_id: UUID) -> ApiKey:
    key = selectors.api_key_by_id(access.account.id, key_id)
    if key is None or key.revoked_at is not None:
        raise Http404("no such key")
    return key
