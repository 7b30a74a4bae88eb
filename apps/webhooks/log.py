"""The delivery log: noted in memory, written in batches, bounded (spec 05, 2.5).

A delivery is answered before it is written. A busy webhook, or a flood of bad signatures, costs a bounded
number of rows a second; all deliveries are counted. What is not written yet when a process dies is lost: the
events themselves are in Redis by then.
"""

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import DatabaseError, close_old_connections, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from apps.engine.services import wait_for
from apps.webhooks.choices import SAMPLED, Outcome
from apps.webhooks.models import Delivery, Webhook

EVERY_SECONDS: Final = 1.0
KEEP_ROWS: Final = 500
KEEP: Final = timedelta(days=7)
MAX_BODY_BYTES: Final = 64 * 1024
# Of one webhook, between two writes.
MAX_ROWS_EACH: Final = 50
MAX_SAMPLED_EACH: Final = 5
# Of the rows that are kept, at most so many tell of deliveries that got past nothing.
KEEP_SAMPLED: Final = 100
MAX_PENDING_BYTES: Final = 32 * 1024 * 1024
_EXPIRE_EVERY_SECONDS: Final = 600.0

_COUNTED_AS: Final[Mapping[Outcome, str]] = {
    Outcome.ACCEPTED: "accepted_count",
    Outcome.ANSWERED: "accepted_count",
    Outcome.DROPPED: "dropped_count",
    Outcome.FAILED: "failed_count",
    Outcome.UNVERIFIED: "unverified_count",
}

_NEVER: Final = datetime.fromtimestamp(0, UTC)

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Webhook:
    rows: list[Delivery] = field(default_factory=list)
    sampled: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    last_at: datetime = _NEVER


class DeliveryBuffer:
    """Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._webhooks: dict[str, _Webhook] = {}
        self._bytes = 0

    def note(self, delivery: Delivery) -> None:
        """Count it; keep it where there is room."""
        outcome = Outcome(delivery.outcome)
        size = len(delivery.body)
        with self._lock:
            webhook = self._webhooks.setdefault(str(delivery.webhook_id), _Webhook())
            webhook.counts[_COUNTED_AS.get(outcome, "refused_count")] += 1
            webhook.last_at = max(webhook.last_at, delivery.received_at)
            if self._bytes + size > MAX_PENDING_BYTES or not _has_room(webhook, outcome):
                return
            webhook.rows.append(delivery)
            self._bytes += size

    def take(self) -> dict[str, _Webhook]:
        with self._lock:
            taken, self._webhooks, self._bytes = self._webhooks, {}, 0
        return taken


def _has_room(webhook: _Webhook, outcome: Outcome) -> bool:
    if outcome not in SAMPLED:
        return len(webhook.rows) - webhook.sampled < MAX_ROWS_EACH
    webhook.sampled += 1
    if webhook.sampled > MAX_SAMPLED_EACH:
        webhook.sampled = MAX_SAMPLED_EACH
        return False
    return True


process_deliveries = DeliveryBuffer()


class DeliveryWriter:
    """A service of the web process (apps/engine/services.py)."""

    name = "webhook deliveries"

    def __init__(self, buffer: DeliveryBuffer = process_deliveries) -> None:
        self._buffer = buffer
        self._until_expiry = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        while not await wait_for(stop, EVERY_SECONDS):
            await self.flush()
            self._until_expiry -= EVERY_SECONDS
            if self._until_expiry <= 0:
                self._until_expiry = _EXPIRE_EVERY_SECONDS
                await _guarded(deliveries_expire)
        await self.flush()

    async def flush(self) -> None:
        """What cannot be written is dropped, and the log says how much."""
        taken = self._buffer.take()
        if taken:
            await _guarded(lambda: deliveries_write(taken))


async def _guarded(work: Callable[[], object]) -> None:
    try:
        await sync_to_async(_connected)(work)
    except DatabaseError as problem:
        logger.warning("the log of webhook deliveries is not written: %s", problem)


def _connected(work: Callable[[], object]) -> None:
    close_old_connections()
    work()


@transaction.atomic
def deliveries_write(webhooks: Mapping[str, _Webhook]) -> None:
    """Counts, rows, and no more rows than `KEEP_ROWS` of each; webhooks that are gone are passed over."""
    known = set(Webhook.objects.filter(key_id__in=list(webhooks)).values_list("key_id", flat=True))
    for key_id in sorted(known):
        noted = webhooks[str(key_id)]
        changes = {column: F(column) + count for column, count in noted.counts.items()}
        Webhook.objects.filter(key_id=key_id).update(last_delivery_at=noted.last_at, **changes)
    rows = [row for key_id in known for row in webhooks[str(key_id)].rows]
    Delivery.objects.bulk_create(rows)
    for key_id in {row.webhook_id for row in rows}:
        _trim(key_id)


def deliveries_expire() -> int:
    """Delete what is older than `KEEP`; how many there were."""
    return Delivery.objects.filter(received_at__lt=timezone.now() - KEEP).delete()[0]


def _trim(webhook_id: UUID) -> None:
    rows = Delivery.objects.filter(webhook_id=webhook_id)
    _keep_latest(rows.filter(outcome__in=SAMPLED), KEEP_SAMPLED)
    _keep_latest(rows, KEEP_ROWS)


def _keep_latest(rows: QuerySet[Delivery], count: int) -> None:
    oldest_kept = list(rows.order_by("-id").values_list("id", flat=True)[count - 1 : count])
    if oldest_kept:
        rows.filter(id__lt=oldest_kept[0]).delete()


def capped(body: bytes) -> bytes:
    return body[:MAX_BODY_BYTES]


def cut(text: str, length: int) -> str:
    """As a column takes it: without NUL characters."""
    return text.replace("\0", "").encode(errors="replace").decode()[:length]


def plain(values: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {cut(name, 256): cut(value, 2048) for name, value in values}
