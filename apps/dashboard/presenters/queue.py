"""What waits in a function's queue, and for what, as its page shows it."""

from dataclasses import dataclass
from typing import Final

from apps.dashboard.presenters.statuses import Badge
from apps.engine.queue_views import Block, FunctionQueue, KeyQueue, Slots
from apps.operations.queues import block_words

LISTED_KEYS: Final = 5
PAUSED_BADGE: Final = Badge("Paused", "wait", "circle-pause")
DRAINED_BADGE: Final = Badge("Drained", "quiet", "ban")


@dataclass(frozen=True, slots=True)
class BlockView:
    """`free_at`: when a throttle opens, ms."""

    words: str
    free_at: int | None


@dataclass(frozen=True, slots=True)
class KeyView:
    """`title` is empty for the queue of all runs of the function."""

    title: str
    depth: int
    waiting_since: int
    block: BlockView | None


@dataclass(frozen=True, slots=True)
class QueueView:
    """`depth` and `key_count` end in a plus where there may be more."""

    badges: tuple[Badge, ...]
    has_work: bool
    depth: str
    in_flight: str
    account: str
    live_runs: int
    waiting_since: int | None
    block: BlockView | None
    keys: tuple[KeyView, ...]
    key_count: str


def queue_view(queue: FunctionQueue) -> QueueView:
    switches = ((queue.is_paused, PAUSED_BADGE), (queue.is_drained, DRAINED_BADGE))
    longest = sorted(queue.keys, key=lambda key: key.first.since)[:LISTED_KEYS]
    return QueueView(
        badges=tuple(badge for is_on, badge in switches if is_on),
        has_work=queue.depth > 0,
        depth=_count(queue.depth, queue.is_complete),
        in_flight=_slots(queue.own),
        account=_slots(queue.account),
        live_runs=queue.live_runs,
        waiting_since=_waiting_since(queue),
        block=_block(queue.blocked_by),
        keys=tuple(_key(key) for key in longest),
        key_count=_count(queue.key_queues, queue.is_complete),
    )


def _waiting_since(queue: FunctionQueue) -> int | None:
    """Of what has waited longest among the heads of the queues in view."""
    heads = [key.first.since for key in queue.keys]
    return min([*heads, *([queue.first.since] if queue.first else [])], default=None)


def _key(key: KeyQueue) -> KeyView:
    names = dict.fromkeys(f"{expression} = {value}" for _, expression, value in key.keys)
    block = _block(key.blocked_by or key.starts_blocked_by, key)
    return KeyView(", ".join(names), key.depth, key.first.since, block)


def _block(block: Block | None, queue: KeyQueue | None = None) -> BlockView | None:
    if block is None:
        return None
    words = block_words(block, queue)
    return BlockView(words[:1].upper() + words[1:], block.free_at)


def _count(number: int, is_complete: bool) -> str:
    return f"{number:,}" if is_complete else f"{number:,}+"


def _slots(slots: Slots) -> str:
    return f"{slots.holders:,}" if slots.limit is None else f"{slots.holders:,} of {slots.limit:,}"
