"""Events by keyset in both directions, and what became of those that a list shows."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from ulid_transform import bytes_to_ulid

from apps.dashboard.selectors.keyset import Page, Position, read_page
from apps.engine.protocol.ids import is_ulid
from apps.events.models import Event, EventOutcome

_LAST_CHARACTER: Final = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class EventQuery:
    """`name_prefix` empty: all names. Internal events are those that the engine made itself."""

    name_prefix: str = ""
    since_ms: int | None = None
    includes_internal: bool = False


def parse_cursor(text: str) -> str | None:
    return text if is_ulid(text) else None


def events_page(environment_id: UUID, query: EventQuery, at: Position[str]) -> Page[Event]:
    """By internal id, which begins with the time of arrival, newest first."""

    def read(position: Position[str], limit: int) -> list[Event]:
        rows = Event.objects.filter(environment_id=environment_id)
        if not query.includes_internal:
            rows = rows.filter(is_internal=False)
        if query.name_prefix:
            rows = rows.filter(name__gte=query.name_prefix, name__lt=query.name_prefix + _LAST_CHARACTER)
        if query.since_ms is not None:
            rows = rows.filter(internal_id__gte=_first_id_of(query.since_ms))
        if position.after is not None:
            newer = rows.filter(internal_id__gt=position.after).order_by("internal_id", "key")
            return list(newer[:limit])[::-1]
        if position.before is not None:
            rows = rows.filter(internal_id__lt=position.before)
        return list(rows.order_by("-internal_id", "-key")[:limit])

    return read_page(at, read, _cursor_of)


def _cursor_of(event: Event) -> str:
    return event.internal_id


def _first_id_of(ms: int) -> str:
    return bytes_to_ulid(ms.to_bytes(6, "big") + bytes(10))


def outcomes_by_key(environment_id: UUID, events: Collection[Event]) -> dict[str, EventOutcome]:
    """By the event's key; events that were not handled yet are left out."""
    keys = [event.key for event in events]
    rows = EventOutcome.objects.filter(environment_id=environment_id, key__in=keys)
    return {row.key: row for row in rows}
