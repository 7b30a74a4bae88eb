"""Events by keyset in both directions, and what became of those that a list shows."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import QuerySet
from ulid_transform import bytes_to_ulid

from apps.dashboard.selectors.keyset import Page, Position, read_page
from apps.engine.protocol.ids import is_ulid
from apps.events.models import Event, EventOutcome

_LAST_CHARACTER: Final = "\U0010ffff"
# A prefix with more names than this shows the events of the first ones, and the page says so.
MAX_NAMES: Final = 25


@dataclass(frozen=True, slots=True)
class EventQuery:
    """`names` None: all names. Internal events are those that the engine made itself."""

    names: Sequence[str] | None = None
    since_ms: int | None = None
    includes_internal: bool = False


def parse_cursor(text: str) -> str | None:
    return text if is_ulid(text) else None


def events_page(environment_id: UUID, query: EventQuery, at: Position[str]) -> Page[Event]:
    """By internal id, which begins with the time of arrival, newest first."""

    base = Event.objects.filter(environment_id=environment_id)
    if query.since_ms is not None:
        base = base.filter(internal_id__gte=_first_id_of(query.since_ms))
    if not query.includes_internal:
        base = base.filter(is_internal=False)
    lists = [base] if query.names is None else [base.filter(name=name) for name in query.names]

    def read(position: Position[str], limit: int) -> list[Event]:
        found = [event for rows in lists for event in _next_to(rows, position, limit)]
        found.sort(key=lambda event: (event.internal_id, event.key), reverse=True)
        return found[-limit:] if position.after is not None else found[:limit]

    return read_page(at, read, _cursor_of)


def _next_to(rows: QuerySet[Event], position: Position[str], limit: int) -> list[Event]:
    if position.after is not None:
        return list(rows.filter(internal_id__gt=position.after).order_by("internal_id", "key")[:limit])
    if position.before is not None:
        rows = rows.filter(internal_id__lt=position.before)
    return list(rows.order_by("-internal_id", "-key")[:limit])


def names_with_prefix(environment_id: UUID, prefix: str, most: int = MAX_NAMES) -> list[str]:
    """The first event names that begin with `prefix`: one step in the index each, however many events."""
    names: list[str] = []
    rows = Event.objects.filter(environment_id=environment_id, name__lt=prefix + _LAST_CHARACTER)
    rows = rows.order_by("name")
    name = rows.filter(name__gte=prefix).values_list("name", flat=True).first()
    while name is not None:
        names.append(name)
        if len(names) == most:
            break
        name = rows.filter(name__gt=name).values_list("name", flat=True).first()
    return names


def _cursor_of(event: Event) -> str:
    return event.internal_id


def _first_id_of(ms: int) -> str:
    return bytes_to_ulid(ms.to_bytes(6, "big") + bytes(10))


def outcomes_by_key(environment_id: UUID, events: Collection[Event]) -> dict[str, EventOutcome]:
    """By the event's key; events that were not handled yet are left out.

    Asked by internal id, which the index has after the environment: SQLite would walk the whole
    environment for `key IN (...)`.
    """
    ids = [event.internal_id for event in events]
    return {
        row.key: row
        for row in EventOutcome.objects.filter(environment_id=environment_id, internal_id__in=ids)
    }
