"""Webhooks as a list beside the one that is open: URL, scripts, verification, filter, deliveries."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.urls import reverse

from apps.dashboard.gates import Gate, gate_of
from apps.dashboard.moments import in_ms
from apps.dashboard.pages.event_keys import creating
from apps.dashboard.presenters.statuses import Badge
from apps.dashboard.secrets import Masked
from apps.dashboard.snippets import Snippet, deliver_snippet
from apps.tenancy.access import Access
from apps.tenancy.models import Environment
from apps.tenancy.permissions import Permission
from apps.webhooks.choices import SUCCESSFUL, Outcome, Scheme, Verified
from apps.webhooks.models import Delivery, Webhook
from apps.webhooks.presets import Preset, presets
from apps.webhooks.selectors import deliveries_page, webhooks_qs
from apps.webhooks.verification.config import DEFAULT_TOLERANCE_SECONDS

MAX_WEBHOOKS: Final = 500
DELIVERIES_EACH: Final = 25


@dataclass(frozen=True, slots=True)
class WebhookLink:
    id: UUID
    name: str
    url: str
    delivered_at: int | None


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    id: str
    badge: Badge
    received_at: int
    ip: str
    status: int
    verified: str
    duration_ms: int
    events: list[str]
    error: str
    is_redelivery: bool
    url: str


@dataclass(frozen=True, slots=True)
class WebhookDetail:
    """Times in ms. `options` are those of the scheme that is saved."""

    id: UUID
    name: str
    preset: Preset | None
    creator: str
    created_at: int
    secret: Masked
    transform: str
    respond: str
    scheme: str
    options: Mapping[str, Any]
    has_secret: bool
    secret_set_at: int | None
    mode: str
    events: str
    ips: str
    counts: list[tuple[str, int]]
    deliveries: list[DeliveryRow]
    next_url: str
    first_url: str
    snippet: Snippet
    url: str
    rename_url: str
    delete_url: str
    scripts_url: str
    verification_url: str
    filter_url: str
    test_url: str

    @property
    def schemes(self) -> list[tuple[str, str]]:
        return [(str(scheme), str(scheme.label)) for scheme in Scheme]


@dataclass(frozen=True, slots=True)
class WebhooksPage:
    webhooks: list[WebhookLink]
    open: WebhookDetail | None
    gate: Gate
    create_gate: Gate
    create_url: str
    presets: list[tuple[str, str]]


def webhooks_page(
    access: Access, environment: Environment, chosen: Webhook | None, origin: str, cursor: str | None
) -> WebhooksPage:
    gate = gate_of(access, Permission.WEBHOOK_MANAGE)
    create_url = reverse("dashboard:webhook-create")
    return WebhooksPage(
        webhooks=[_link(webhook) for webhook in webhooks_qs(environment)[:MAX_WEBHOOKS]],
        open=_detail(access, chosen, origin, cursor) if chosen else None,
        gate=gate,
        create_gate=creating(gate, environment),
        create_url=create_url,
        presets=[(f"{create_url}?preset={preset.id}", preset.title) for preset in presets().values()],
    )


def _link(webhook: Webhook) -> WebhookLink:
    url = reverse("dashboard:webhook", args=[webhook.id])
    return WebhookLink(webhook.id, webhook.name, url, in_ms(webhook.last_delivery_at))


def _detail(access: Access, webhook: Webhook, origin: str, cursor: str | None) -> WebhookDetail:
    page = deliveries_page(webhook, limit=DELIVERIES_EACH, cursor=cursor)
    own_url = reverse("dashboard:webhook", args=[webhook.id])
    key = webhook.key
    return WebhookDetail(
        id=webhook.id,
        name=webhook.name,
        preset=presets().get(webhook.preset),
        creator=key.created_by.display_name if key.created_by else "",
        created_at=in_ms(webhook.created_at),
        secret=_secret(access, webhook, origin),
        transform=webhook.transform,
        respond=webhook.respond,
        scheme=webhook.scheme,
        options={"tolerance_seconds": DEFAULT_TOLERANCE_SECONDS} | webhook.options,
        has_secret=webhook.has_secret,
        secret_set_at=in_ms(webhook.secret_set_at),
        mode=key.filter_mode,
        events="\n".join(key.filter_events),
        ips="\n".join(key.filter_ips),
        counts=_counts(webhook),
        deliveries=[delivery_row(webhook, row) for row in page.deliveries],
        next_url=f"{own_url}?after={page.next_cursor}#deliveries" if page.next_cursor else "",
        first_url=f"{own_url}#deliveries" if cursor else "",
        snippet=deliver_snippet(),
        url=own_url,
        **_urls(webhook),
    )


def _urls(webhook: Webhook) -> dict[str, str]:
    names = ("rename", "delete", "scripts", "verification", "filter", "test")
    return {f"{name}_url": reverse(f"dashboard:webhook-{name}", args=[webhook.id]) for name in names}


def _secret(access: Access, webhook: Webhook, origin: str) -> Masked:
    return Masked(
        dom_id=f"secret-{webhook.id}",
        masked=f"{origin}/e/{webhook.key.prefix[:7]}{'•' * 12}",
        url=reverse("dashboard:webhook-reveal", args=[webhook.id]),
        label="Webhook URL",
        gate=gate_of(access, Permission.EVENT_KEY_REVEAL),
    )


def _counts(webhook: Webhook) -> list[tuple[str, int]]:
    return [
        ("Accepted", webhook.accepted_count),
        ("Dropped", webhook.dropped_count),
        ("Failed", webhook.failed_count),
        ("Not verified", webhook.unverified_count),
        ("Refused", webhook.refused_count),
    ]


def delivery_row(webhook: Webhook, row: Delivery) -> DeliveryRow:
    outcome = Outcome(row.outcome)
    return DeliveryRow(
        id=row.id,
        badge=outcome_badge(outcome),
        received_at=in_ms(row.received_at),
        ip=row.ip or "",
        status=row.status,
        verified=str(Verified(row.verified).label),
        duration_ms=row.duration_ms,
        events=[str(name) for name in row.event_names],
        error=row.error,
        is_redelivery=bool(row.redelivery_of),
        url=reverse("dashboard:webhook-delivery", args=[webhook.id, row.id]),
    )


def outcome_badge(outcome: Outcome) -> Badge:
    if outcome in SUCCESSFUL:
        tone, icon = ("quiet", "skip-forward") if outcome == Outcome.DROPPED else ("ok", "circle-check")
        return Badge(str(outcome.label), tone, icon)
    return Badge(str(outcome.label), "bad", "circle-x")
