"""Reading events. The environment comes first; bodies are read apart, by the keys of their events."""

import json
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from django.db.models import Exists, OuterRef, Q, QuerySet
from ulid_transform import ulid_at_time

from apps.events.models import Event, EventOutcome, EventPayload

# An internal id holds the moment of reception, or the one of the sender's seed, which is a little earlier.
_SEED_SLACK_MS = 24 * 3600 * 1000
_RANDOM_PART = 10  # characters of a ULID that hold its time


class Internal(StrEnum):
    """Which events made by the engine a list holds."""

    NONE = "none"
    STARTING_RUNS = "starting_runs"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class EventFilter:
    """`received_from` and `received_until` in ms, both inclusive; no names: any name."""

    received_from: int | None = None
    received_until: int | None = None
    names: Sequence[str] = field(default_factory=tuple)
    internal: Internal = Internal.NONE


@dataclass(frozen=True, slots=True)
class EventPage:
    """`next_cursor` is None on the last page."""

    events: list[Event]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Skipped:
    function_id: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class FailedExpression:
    function_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to an event; `resumed` and `cancelled` are run ids. `handled_at` in ms."""

    handled_at: int
    run_ids: list[str]
    resumed: list[str]
    cancelled: list[str]
    skipped: list[Skipped]
    failed: list[FailedExpression]

    @property
    def matched_nothing(self) -> bool:
        return not (self.run_ids or self.resumed or self.cancelled or self.skipped or self.failed)


def event_list(
    environment_id: uuid.UUID, where: EventFilter, *, limit: int, cursor: str | None = None
) -> EventPage:
    """Newest first. The cursor is the internal id of the last event of the page before."""
    rows = _matching(environment_id, where)
    if cursor is not None:
        rows = rows.filter(internal_id__lt=cursor)
    events = list(rows.order_by("-internal_id", "key")[: limit + 1])
    has_more = len(events) > limit
    events = events[:limit]
    return EventPage(events, events[-1].internal_id if has_more else None)


def event_count(environment_id: uuid.UUID, where: EventFilter) -> int:
    return _matching(environment_id, where).count()


def event_get(environment_id: uuid.UUID, internal_id: str) -> Event | None:
    """The event; when it was sent again under the same internal id, the first."""
    return _entries(environment_id, internal_id).first()


def event_outcome(environment_id: uuid.UUID, internal_id: str) -> Outcome | None:
    """What the runner did with the event, over all times it was sent; None while it is not handled."""
    rows = EventOutcome.objects.filter(environment_id=environment_id, internal_id=internal_id)
    parts = [_outcome(row) for row in rows.order_by("key")]
    return _merged(parts) if parts else None


def event_bodies(environment_id: uuid.UUID, keys: Collection[str]) -> Mapping[str, str]:
    """The raw JSON text of each event, by its `key`."""
    owned = Event.objects.filter(key=OuterRef("key"), environment_id=environment_id)
    return dict(EventPayload.objects.filter(Exists(owned), key__in=keys).values_list("key", "body"))


def events_by_id(environment_id: uuid.UUID, internal_ids: Collection[str]) -> Mapping[str, Event]:
    """Events by internal id; of one that was sent again, the first."""
    rows = Event.objects.filter(environment_id=environment_id, internal_id__in=internal_ids)
    return {event.internal_id: event for event in rows.order_by("-received_at", "-key")}


def _entries(environment_id: uuid.UUID, internal_id: str) -> QuerySet[Event]:
    rows = Event.objects.filter(environment_id=environment_id, internal_id=internal_id)
    return rows.order_by("received_at", "key")


def _matching(environment_id: uuid.UUID, where: EventFilter) -> QuerySet[Event]:
    rows = Event.objects.filter(environment_id=environment_id)
    if where.received_from is not None:
        rows = rows.filter(received_at__gte=where.received_from)
        rows = rows.filter(internal_id__gte=_first_id(where.received_from - _SEED_SLACK_MS))
    if where.received_until is not None:
        rows = rows.filter(received_at__lte=where.received_until)
    if where.names:
        rows = rows.filter(name__in=where.names)
    return rows if where.internal is Internal.ALL else rows.filter(_visible(where.internal))


def _visible(internal: Internal) -> Q:
    if internal is Internal.NONE:
        return Q(is_internal=False)
    started = EventOutcome.objects.filter(key=OuterRef("key")).exclude(run_ids="[]")
    return Q(is_internal=False) | Q(Exists(started))


def _first_id(at_ms: int) -> str:
    """The smallest internal id of that moment: it lets the index skip everything older."""
    return ulid_at_time(max(0, at_ms) / 1000)[:_RANDOM_PART] + "0" * 16


def _outcome(row: EventOutcome) -> Outcome:
    return Outcome(
        handled_at=row.handled_at,
        run_ids=json.loads(row.run_ids),
        resumed=json.loads(row.resumed),
        cancelled=json.loads(row.cancelled),
        skipped=[Skipped(*parts) for parts in json.loads(row.skipped)],
        failed=[FailedExpression(*parts) for parts in json.loads(row.failed)],
    )


def _merged(parts: Sequence[Outcome]) -> Outcome:
    return Outcome(
        handled_at=parts[0].handled_at,
        run_ids=_distinct(run_id for part in parts for run_id in part.run_ids),
        resumed=_distinct(run_id for part in parts for run_id in part.resumed),
        cancelled=_distinct(run_id for part in parts for run_id in part.cancelled),
        skipped=[skipped for part in parts for skipped in part.skipped],
        failed=[failed for part in parts for failed in part.failed],
    )


def _distinct(ids: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(ids))
