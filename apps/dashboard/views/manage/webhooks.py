"""Webhooks of an environment (spec 05, 2.5 and 5.4.23). Their test tool is in webhook_testing.py."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.audit.http import actor_of
from apps.dashboard.filter_texts import lines_of, mode_of, refused_filter, typed_filter
from apps.dashboard.forms import Field, Form, change, rename_form, render_form
from apps.dashboard.fragments import is_fragment, redirect, render_dialog, render_page
from apps.dashboard.gates import gate_of
from apps.dashboard.pages.webhook_tests import test_tool
from apps.dashboard.pages.webhooks import delivery_row, webhooks_page
from apps.dashboard.presenters.payloads import code_block
from apps.dashboard.snippets import origin
from apps.dashboard.tenant import access_of, environment_of
from apps.dashboard.views.manage.entering import manage_page, show_secret
from apps.tenancy.exceptions import TenancyError
from apps.tenancy.permissions import Permission
from apps.webhooks import selectors
from apps.webhooks.choices import SUCCESSFUL, Outcome, Scheme
from apps.webhooks.models import Delivery, Webhook
from apps.webhooks.presets import DEFAULT_ID, presets
from apps.webhooks.services import redelivery
from apps.webhooks.services import webhooks as services
from apps.webhooks.verification.config import DEFAULT_TOLERANCE_SECONDS

SECTION: Final = "webhooks"
SHARED: Final = "dashboard:webhooks"
SCRIPT_STATE: Final = "script-state"
TEST_FIELDS: Final = "test-fields"
# The options that each scheme has, as its form sends them.
_TIMED: Final = ("tolerance_seconds",)
_HMAC: Final = ("header", "algorithm", "encoding", "prefix", "timestamp_header", "signed")
_OPTIONS: Final = {
    Scheme.STRIPE: _TIMED,
    Scheme.SVIX: _TIMED,
    Scheme.SLACK: _TIMED,
    Scheme.HMAC: (*_TIMED, *_HMAC),
    Scheme.BASIC: ("username",),
    Scheme.HEADER: ("header",),
}


@require_GET
@manage_page(shared=SHARED, section=SECTION)
def webhooks(request: HttpRequest) -> HttpResponse:
    first = selectors.webhooks_qs(environment_of(request)).defer(None).first()
    return _page(request, first)


@require_GET
@manage_page(shared=SHARED, section=SECTION)
def webhook(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    return _page(request, webhook_of(request, webhook_id))


def _page(
    request: HttpRequest,
    row: Webhook | None,
    status: int = 200,
    typed: Mapping[str, Any] | None = None,
    **more: str,
) -> HttpResponse:
    """`typed` takes the place of what is saved."""
    access = access_of(request)
    page = webhooks_page(access, environment_of(request), row, origin(request), request.GET.get("after"))
    if typed and page.open is not None:
        page = replace(page, open=replace(page.open, **typed))
    tool = test_tool(access, row, request.GET.get("delivery", "")) if row and page.gate.is_open else None
    context = {"page": page, "tool": tool, **more}
    fragments = {"webhook-deliveries": "manage/_deliveries.html", TEST_FIELDS: "manage/_test_fields.html"}
    response = render_page(
        request, "manage/webhooks.html", context, section=SECTION, fragments=fragments, status=status
    )
    if is_fragment(request, TEST_FIELDS):
        response["HX-Trigger-After-Swap"] = "delivery-loaded"
    return response


@require_http_methods(["GET", "POST"])
@manage_page(Permission.WEBHOOK_MANAGE, shared=SHARED, section=SECTION)
def create(request: HttpRequest) -> HttpResponse:
    chosen = request.POST.get("preset") or request.GET.get("preset") or DEFAULT_ID
    known = presets()
    name = request.POST.get("name", known[chosen].title if chosen in known and chosen != DEFAULT_ID else "")
    form = Form(
        title="New webhook",
        action=reverse("dashboard:webhook-create"),
        back_url=reverse(SHARED),
        submit="Create webhook",
        icon="plus",
        text="A URL that takes what another service sends, and makes events of it.",
        fields=[
            Field("name", "Name", name, placeholder="Payments"),
            Field("preset", "Sent by", chosen, "select", choices=[(p.id, p.title) for p in known.values()]),
        ],
    )
    if request.method == "GET":
        return render_form(request, form, SECTION)
    try:
        row = services.webhook_create(
            environment=environment_of(request), name=name, preset=chosen, actor=actor_of(request)
        )
    except TenancyError as refused:
        return render_form(request, form, SECTION, refused)
    return redirect(request, url_of(row))


@require_http_methods(["GET", "POST"])
@manage_page(Permission.WEBHOOK_MANAGE, shared=SHARED, section=SECTION)
def rename(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    row = webhook_of(request, webhook_id)
    form, name = rename_form(request, row.name, url_of(row))
    return change(
        request,
        form,
        SECTION,
        lambda: services.webhook_rename(webhook=row, name=name, actor=actor_of(request)),
        "The webhook has its new name.",
    )


@require_http_methods(["GET", "POST"])
@manage_page(Permission.WEBHOOK_MANAGE, shared=SHARED, section=SECTION)
def delete(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    row = webhook_of(request, webhook_id)
    form = Form(
        title=f"Delete {row.name}?",
        action=request.path,
        back_url=reverse(SHARED),
        submit="Delete",
        icon="trash-2",
        text="Its URL takes nothing more from then on, and its scripts, secret and log are gone.",
        is_danger=True,
    )
    return change(
        request,
        form,
        SECTION,
        lambda: services.webhook_delete(webhook=row, actor=actor_of(request)),
        f"{row.name} is deleted.",
    )


@require_POST
@manage_page(Permission.EVENT_KEY_REVEAL, shared=SHARED, section=SECTION)
def reveal(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    row = webhook_of(request, webhook_id)
    return show_secret(
        request,
        lambda: f"{origin(request)}/e/{services.webhook_reveal(webhook=row, actor=actor_of(request))}",
        dom_id=f"secret-{row.id}",
        label="Webhook URL",
        back_url=url_of(row),
        section=SECTION,
    )


@require_POST
@manage_page(Permission.WEBHOOK_MANAGE, shared=SHARED, section=SECTION)
def scripts(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """What is broken is not saved, and stays in the editor."""
    row = webhook_of(request, webhook_id)
    transform, respond = request.POST.get("transform", ""), request.POST.get("respond")
    try:
        services.webhook_set_scripts(
            webhook=row, transform=transform, respond=respond, actor=actor_of(request)
        )
    except TenancyError as refused:
        return _script_state(request, row, refused)
    if is_fragment(request, SCRIPT_STATE):
        return _script_state(request, row, None)
    messages.success(request, "The transform is saved.")
    return redirect(request, url_of(row))


def _script_state(request: HttpRequest, row: Webhook, refused: TenancyError | None) -> HttpResponse:
    """Beside the editor, which keeps what is in it."""
    context = {
        "dialog_title": "The script is not saved",
        "dialog_template": "manage/not_saved.html",
        "problem": str(refused or ""),
        "line": getattr(refused, "line", 0),
        "script": getattr(refused, "about", "transform"),
        "back_url": url_of(row),
    }
    fragments = {SCRIPT_STATE: "manage/_script_state.html"}
    status = 422 if refused else 200
    return render_page(
        request, "dialog_page.html", context, section=SECTION, fragments=fragments, status=status
    )


@require_POST
@manage_page(Permission.WEBHOOK_MANAGE, shared=SHARED, section=SECTION)
def verification(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    row = webhook_of(request, webhook_id)
    chosen = request.POST.get("scheme", "")
    if chosen not in Scheme.values:
        raise Http404("no such scheme")
    scheme = Scheme(chosen)
    options = _options(request, scheme)
    try:
        services.webhook_set_verification(
            webhook=row,
            scheme=scheme,
            options=options,
            secret=request.POST.get("secret") or None,
            actor=actor_of(request),
        )
    except TenancyError as refused:
        typed = {"scheme": chosen, "options": {"tolerance_seconds": DEFAULT_TOLERANCE_SECONDS} | options}
        return _again(request, row, typed, verification_error=str(refused))
    messages.success(request, "The verification is saved.")
    return redirect(request, url_of(row))


def _again(request: HttpRequest, row: Webhook, typed: Mapping[str, Any], **error: str) -> HttpResponse:
    """The page as it was typed, with what was refused beside its field."""
    return _page(request, webhook_of(request, row.id), 422, typed, **error)


def _options(request: HttpRequest, scheme: Scheme) -> dict[str, object]:
    """Those that the scheme knows and the form has filled in."""
    values: dict[str, object] = {}
    for name in _OPTIONS.get(scheme, ()):
        sent = request.POST.get("header_name" if (name, scheme) == ("header", Scheme.HEADER) else name, "")
        if sent.strip():
            values[name] = int(sent) if name == "tolerance_seconds" and sent.isdigit() else sent.strip()
    return values


@require_POST
@manage_page(Permission.WEBHOOK_MANAGE, shared=SHARED, section=SECTION)
def set_filter(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    row = webhook_of(request, webhook_id)
    try:
        services.webhook_set_filters(
            webhook=row,
            mode=mode_of(request),
            events=lines_of(request, "events"),
            ips=lines_of(request, "ips"),
            actor=actor_of(request),
        )
    except TenancyError as refused:
        return _again(request, row, typed_filter(request), **refused_filter(request, refused))
    messages.success(request, "The filter is saved.")
    return redirect(request, url_of(row))


@require_GET
@manage_page(Permission.DATA_READ, shared=SHARED, section=SECTION)
def delivery(request: HttpRequest, webhook_id: UUID, delivery_id: str) -> HttpResponse:
    row = webhook_of(request, webhook_id)
    found = delivery_of(row, delivery_id)
    body = bytes(found.body).decode(errors="replace")
    context = {
        "dialog_title": "Delivery",
        "row": delivery_row(row, found),
        "headers": sorted(found.headers.items()),
        "block": code_block("delivery-body", "Body", body, "") if body else None,
        "is_truncated": found.is_truncated,
        "events": _events_of(found),
        "gate": gate_of(access_of(request), Permission.WEBHOOK_MANAGE),
        "redeliver_url": reverse("dashboard:webhook-redeliver", args=[row.id, found.id]),
        "load_url": f"{url_of(row)}?delivery={found.id}#webhook-editor",
        "back_url": url_of(row),
    }
    return render_dialog(request, "manage/delivery.html", context, section=SECTION)


def _events_of(found: Delivery) -> list[tuple[str, str]]:
    """Names and addresses of those that came of it."""
    urls = [reverse("dashboard:event", args=[str(event_id)]) for event_id in found.event_ids]
    return list(zip([str(name) for name in found.event_names], urls, strict=False))


@require_POST
@manage_page(Permission.WEBHOOK_MANAGE, shared=SHARED, section=SECTION)
def redeliver(request: HttpRequest, webhook_id: UUID, delivery_id: str) -> HttpResponse:
    row = webhook_of(request, webhook_id)
    found = delivery_of(row, delivery_id)
    try:
        again = redelivery.delivery_redeliver(webhook=row, delivery=found, actor=actor_of(request))
    except TenancyError as refused:
        messages.error(request, str(refused))
    else:
        outcome = Outcome(again.outcome)
        say = messages.success if outcome in SUCCESSFUL else messages.error
        say(request, f"Delivered again: {str(outcome.label).lower()}. {again.error}".strip())
    return redirect(request, url_of(row))


def url_of(row: Webhook) -> str:
    return reverse("dashboard:webhook", args=[row.id])


def webhook_of(request: HttpRequest, webhook_id: UUID) -> Webhook:
    row = selectors.webhook_by_id(environment_of(request), webhook_id)
    if row is None:
        raise Http404("no such webhook")
    return row


def delivery_of(row: Webhook, delivery_id: str) -> Delivery:
    found = selectors.delivery_by_id(row, delivery_id)
    if found is None:
        raise Http404("no such delivery")
    return found
