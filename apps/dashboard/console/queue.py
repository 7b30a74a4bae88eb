"""The queue on the console's overview: per shard what waits, since when, and what the reaper found."""

from typing import Final

from asgiref.sync import async_to_sync
from django.conf import settings

from apps.dashboard.console.cards import AWAY, OK, Card, Fact
from apps.dashboard.presenters.statuses import Badge
from apps.engine.queue_views import ShardQueue
from apps.engine.store.client import RedisError, RedisUnavailable
from apps.server.metrics.snapshot import Snapshot, read_snapshot
from apps.tenancy.models import Account

MOST_SHARDS: Final = 8
BEHIND_MS: Final = 60_000  # since when work that could run has waited, before the card says so
_BEHIND: Final = Badge("Behind", "wait", "hourglass")
_REPAIRED: Final = Badge("Repaired", "wait", "triangle-alert")


def shard_names() -> list[str]:
    """This installation's, and others that accounts live on."""
    used = Account.objects.order_by("shard").values_list("shard", flat=True).distinct()[:MOST_SHARDS]
    return list(dict.fromkeys([settings.STEPWELL_SHARD, *used]))[:MOST_SHARDS]


def queue_cards(shard: str) -> list[Card]:
    try:
        snapshot = async_to_sync(read_snapshot)(settings.REDIS_URL, shard)
    except (RedisUnavailable, RedisError):
        return [Card(f"Queue, shard {shard}", AWAY, is_wide=True)]
    return [_queue_card(shard, snapshot), _invariants_card(shard, snapshot)]


def _queue_card(shard: str, snapshot: Snapshot) -> Card:
    queue = snapshot.queue
    facts = [
        Fact("Ready", _count(queue.ready, queue)),
        Fact("Oldest waits since", "nothing waits", queue.oldest_since or None),
        Fact("With workers", f"{queue.leases:,}"),
        Fact("Due later", f"{queue.timers:,}"),
        Fact("Live runs", _count(queue.live_runs, queue)),
        Fact("Waits for events", f"{queue.pauses:,}"),
        *_lags(queue),
    ]
    state = _BEHIND if snapshot.oldest_ms > BEHIND_MS else OK
    return Card(f"Queue, shard {shard}", state, facts, is_wide=True)


def _count(number: int, queue: ShardQueue) -> str:
    return f"{number:,}" if queue.is_complete else f"{number:,} or more"


def _lags(queue: ShardQueue) -> list[Fact]:
    """Readers of a stream that are not through with it."""
    return [
        Fact(f"{group.stream.capitalize()} to {group.group}", f"{(group.lag or 0) + group.pending:,} behind")
        for group in queue.groups
        if group.lag or group.pending
    ]


def _invariants_card(shard: str, snapshot: Snapshot) -> Card:
    title, found = f"Invariants, shard {shard}", snapshot.violations
    if not found:
        return Card(title, OK, note="The reaper has found nothing to repair.", is_wide=True)
    facts = [Fact(kind.replace("_", " ").capitalize(), f"{count:,}") for kind, count in sorted(found.items())]
    note = "What the reaper has repaired, by kind, since the queue exists."
    return Card(title, _REPAIRED, facts, note, is_wide=True)
