"""Event keys of an environment (spec 05, 2.1 and 5.4.24)."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.audit.http import actor_of
from apps.credentials import services
from apps.credentials.models import EventKey
from apps.credentials.selectors import event_key_by_id
from apps.dashboard.filter_texts import lines_of, mode_of, refused_filter, typed_filter
from apps.dashboard.forms import Field, Form, change, rename_form, render_form
from apps.dashboard.fragments import redirect, render_page
from apps.dashboard.pages.event_keys import event_keys_page
from apps.dashboard.snippets import origin
from apps.dashboard.tenant import access_of, environment_of
from apps.dashboard.views.manage.entering import manage_page, show_secret
from apps.tenancy.exceptions import TenancyError
from apps.tenancy.permissions import Permission

SECTION = "keys"
_WHEN: Final = (("", "Now"), ("1", "In an hour"), ("24", "In a day"), ("168", "In a week"))


@require_GET
@manage_page()
def event_keys(request: HttpRequest) -> HttpResponse:
    return _page(request, None)


@require_GET
@manage_page()
def event_key(request: HttpRequest, key_id: UUID) -> HttpResponse:
    return _page(request, _key(request, key_id))


def _page(request: HttpRequest, key: EventKey | None) -> HttpResponse:
    page = event_keys_page(access_of(request), environment_of(request), key, origin(request))
    return render_page(request, "manage/event_keys.html", {"page": page}, section=SECTION)


def _refused_filter(request: HttpRequest, key: EventKey, refused: TenancyError) -> HttpResponse:
    """As it was typed, with the reason beside it."""
    page = event_keys_page(access_of(request), environment_of(request), key, origin(request))
    shown = replace(page, open=replace(page.open, **typed_filter(request)) if page.open else None)
    context = {"page": shown, **refused_filter(request, refused)}
    return render_page(request, "manage/event_keys.html", context, section=SECTION, status=422)


@require_http_methods(["GET", "POST"])
@manage_page(Permission.KEY_MANAGE)
def create(request: HttpRequest) -> HttpResponse:
    name = request.POST.get("name", "")
    form = Form(
        title="New event key",
        action=request.path,
        back_url=reverse("dashboard:event-keys"),
        submit="Create key",
        icon="plus",
        fields=[Field("name", "Name", name, hint="Who sends with it, such as Shop backend.")],
    )
    if request.method == "GET":
        return render_form(request, form, SECTION)
    try:
        key = services.event_key_create(
            environment=environment_of(request), name=name, actor=actor_of(request)
        )
    except TenancyError as refused:
        return render_form(request, form, SECTION, refused)
    return redirect(request, _url(key))


@require_http_methods(["GET", "POST"])
@manage_page(Permission.KEY_MANAGE)
def rename(request: HttpRequest, key_id: UUID) -> HttpResponse:
    key = _key(request, key_id)
    form, name = rename_form(request, key.name, _url(key))
    return change(
        request,
        form,
        SECTION,
        lambda: services.event_key_rename(event_key=key, name=name, actor=actor_of(request)),
        "The key has its new name.",
    )


@require_POST
@manage_page(Permission.EVENT_KEY_REVEAL)
def reveal(request: HttpRequest, key_id: UUID) -> HttpResponse:
    key = _key(request, key_id)
    return show_secret(
        request,
        lambda: services.event_key_reveal(event_key=key, actor=actor_of(request)),
        dom_id=f"secret-{key.id}",
        label="Event key",
        back_url=_url(key),
        section=SECTION,
    )


@require_POST
@manage_page(Permission.KEY_MANAGE)
def set_filter(request: HttpRequest, key_id: UUID) -> HttpResponse:
    key = _key(request, key_id)
    try:
        services.event_key_set_filter(
            event_key=key,
            mode=mode_of(request),
            events=lines_of(request, "events"),
            ips=lines_of(request, "ips"),
            actor=actor_of(request),
        )
    except TenancyError as refused:
        return _refused_filter(request, key, refused)
    messages.success(request, "The filter is saved.")
    return redirect(request, _url(key))


@require_http_methods(["GET", "POST"])
@manage_page(Permission.KEY_MANAGE)
def revoke(request: HttpRequest, key_id: UUID) -> HttpResponse:
    key = _key(request, key_id)
    used = f"It was last used at {key.last_used_at:%d %B %Y, %H:%M} UTC." if key.last_used_at else ""
    form = Form(
        title=f"Revoke {key.name}?",
        action=request.path,
        back_url=reverse("dashboard:event-keys"),
        submit="Revoke",
        icon="trash-2",
        text=f"Events that come with it are refused from then on. It does not come back. {used}".strip(),
        fields=[Field("hours", "When", request.POST.get("hours", ""), "select", choices=_WHEN)],
        is_danger=True,
    )
    return change(
        request,
        form,
        SECTION,
        lambda: services.event_key_revoke(event_key=key, actor=actor_of(request), at=_when(request)),
        f"{key.name} is revoked." if not _when(request) else f"{key.name} will be revoked.",
    )


def _when(request: HttpRequest) -> datetime | None:
    hours = request.POST.get("hours", "")
    known = {value for value, _ in _WHEN if value}
    return timezone.now() + timedelta(hours=int(hours)) if hours in known else None


def _url(key: EventKey) -> str:
    return reverse("dashboard:event-key", args=[key.id])


def _key(request: HttpRequest, key_id: UUID) -> EventKey:
    key = event_key_by_id(environment_of(request), key_id)
    if key is None or (key.revoked_at is not None and key.revoked_at <= timezone.now()):
        raise Http404("no such key")
    return key
