"""The `eventsV2` connection and the legacy `events` list (spec 03, 6.11 and 6.12)."""

from collections.abc import Iterator
from typing import Final

from graphql import GraphQLError

from apps.api.graphql.context import RequestContext
from apps.api.graphql.cursors import BadCursor, decode_event_cursor, encode_event_cursor
from apps.api.graphql.expression_filter import CHUNK, MAX_SCANNED_ROWS, ExpressionFilter, ScanTooLong
from apps.api.graphql.outcomes import parsed
from apps.api.graphql.pages import Edge, Page
from apps.engine import clock
from apps.events import selectors
from apps.events.models import Event
from apps.events.selectors import EventFilter, Internal

MAX_RECENT_EVENTS: Final = 1_000
_RECENT_MS: Final = 60 * 60 * 1000


class EventList:
    """One listing: a window, and a filter by expression if there is one."""

    def __init__(self, context: RequestContext, where: EventFilter, query: str | None) -> None:
        """Raises GraphQLError for a query that does not compile."""
        self._context = context
        self._where = where
        self._filter = ExpressionFilter(query) if query and query.strip() else None

    def page(self, size: int, after: str | None) -> Page[Event]:
        """Raises GraphQLError for a bad cursor."""
        events = self._rows(size, _before(after))
        self._context.saw_events(events)
        edges = [Edge(event, encode_event_cursor(event.internal_id)) for event in events]
        return Page(edges, is_full=len(events) == size, is_continued=after is not None, count=self._count)

    def _rows(self, size: int, before: str | None) -> list[Event]:
        if self._filter is None:
            return self._chunk(before, size)
        found: list[Event] = []
        for event in self._matching(self._filter, before):
            found.append(event)
            if len(found) == size:
                break
        return found

    def _count(self) -> int:
        if self._filter is None:
            return selectors.event_count(self._context.environment_id, self._where)
        return sum(1 for _ in self._matching(self._filter, None))

    def _matching(self, accepts: ExpressionFilter, before: str | None) -> Iterator[Event]:
        environment_id, scanned = self._context.environment_id, 0
        while chunk := self._chunk(before, CHUNK):
            scanned += len(chunk)
            if scanned > MAX_SCANNED_ROWS:
                raise ScanTooLong
            bodies = selectors.event_bodies(environment_id, [event.key for event in chunk])
            yield from (event for event in chunk if _accepts(accepts, bodies.get(event.key)))
            before = chunk[-1].internal_id

    def _chunk(self, before: str | None, limit: int) -> list[Event]:
        page = selectors.event_list(self._context.environment_id, self._where, limit=limit, cursor=before)
        return page.events


def recent_events(context: RequestContext, last_event_id: str | None) -> list[Event]:
    """Events of the last hour, newest first, older than `last_event_id` where that is given."""
    where = EventFilter(received_from=clock.now_ms() - _RECENT_MS, internal=Internal.ALL)
    page = selectors.event_list(context.environment_id, where, limit=MAX_RECENT_EVENTS, cursor=last_event_id)
    context.saw_events(page.events)
    return page.events


def _before(after: str | None) -> str | None:
    try:
        return decode_event_cursor(after) if after else None
    except (BadCursor, GraphQLError) as error:
        raise GraphQLError(f"error decoding eventsv2 cursor: {getattr(error, 'message', error)}") from error


def _accepts(accepts: ExpressionFilter, body: str | None) -> bool:
    event = parsed(body) if body is not None else None
    return isinstance(event, dict) and accepts.accepts([event], {})
