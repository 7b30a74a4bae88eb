"""Reading webhooks and their deliveries. None of it leads to a secret; lists leave out scripts and bodies."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from apps.tenancy.models import Environment
from apps.webhooks.models import Delivery, Webhook

MAX_SAMPLES: Final = 50
_LARGE: Final = ("transform", "respond", "secret_encrypted")
_PAYLOAD: Final = ("headers", "query", "body")


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """`next_cursor` is None on the last page."""

    deliveries: list[Delivery]
    next_cursor: str | None


def webhooks_qs(environment: Environment) -> QuerySet[Webhook]:
    """Those of the environment (of a branch: its parent's), the oldest first."""
    is_live = Q(key__revoked_at__isnull=True) | Q(key__revoked_at__gt=timezone.now())
    rows = Webhook.objects.select_related("key__created_by", "key__environment")
    rows = rows.defer("key__value_encrypted", "key__value_hash", *_LARGE)
    return rows.filter(is_live, key__environment_id=environment.key_owner_id).order_by(
        "key__created_at", "key_id"
    )


def webhook_by_id(environment: Environment, webhook_id: UUID) -> Webhook | None:
    """With its scripts."""
    return webhooks_qs(environment).filter(key_id=webhook_id).defer(None).first()


def deliveries_page(webhook: Webhook, *, limit: int = 50, cursor: str | None = None) -> DeliveryPage:
    """The latest first, without headers and bodies. The cursor is the last id of the page before."""
    rows = Delivery.objects.filter(webhook=webhook).defer(*_PAYLOAD)
    if cursor is not None:
        rows = rows.filter(id__lt=cursor)
    found = list(rows.order_by("-id")[: limit + 1])
    has_more = len(found) > limit
    found = found[:limit]
    return DeliveryPage(found, found[-1].id if has_more else None)


def delivery_by_id(webhook: Webhook, delivery_id: str) -> Delivery | None:
    return Delivery.objects.filter(webhook=webhook, id=delivery_id).first()


def sample_deliveries(webhook: Webhook, limit: int = MAX_SAMPLES) -> list[Delivery]:
    """The last ones that came with a body that is kept whole, for the test tool, the latest first."""
    rows = Delivery.objects.filter(webhook=webhook, method="POST").order_by("-id")[:limit]
    return [row for row in rows if not row.is_truncated]
