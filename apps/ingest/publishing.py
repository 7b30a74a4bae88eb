"""Accepted events on their way into the event stream."""

import re
from collections.abc import Sequence
from typing import Protocol

from apps.credentials.caller import Caller
from apps.engine.event_stream import EventContext, EventEntry, entry_fields
from apps.engine.keys import Keys
from apps.engine.protocol.events import AcceptedEvent
from apps.engine.store.client import Argument, RedisError, RedisUnavailable, Reply
from apps.engine.telemetry import count_events

STORE_FAILURES = (RedisUnavailable, RedisError, TimeoutError)

_TRACE_PARENT = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class Store(Protocol):
    """The part of RedisClient that is used here."""

    async def execute(self, *args: Argument) -> Reply: ...

    async def pipeline(self, commands: Sequence[Sequence[Argument]]) -> list[Reply]: ...


class EventPublisher:
    """Adds events to the stream; when `publish` returns, Redis has them all."""

    def __init__(self, store: Store, shard: str) -> None:
        self._store = store
        self._stream = Keys(shard).events

    async def publish(self, entries: Sequence[EventEntry]) -> None:
        """Raises one of STORE_FAILURES; some of the entries may have been added then."""
        commands = [("XADD", self._stream, "*", *entry_fields(entry)) for entry in entries]
        if len(commands) == 1:
            await self._store.execute(*commands[0])
        elif commands:
            await self._store.pipeline(commands)
        count_events(len(commands))


def api_entries(
    events: Sequence[AcceptedEvent], caller: Caller, *, is_seeded: bool, trace_parent: str
) -> list[EventEntry]:
    """Entries of events from outside; ids that may come again are remembered."""
    tenant, sender = caller.tenant, caller.sender
    once = EventContext(remember=is_seeded, trace_parent=trace_parent)
    own = EventContext(remember=True, trace_parent=trace_parent)
    return [
        EventEntry(
            event.internal_id,
            *tenant,
            event.name,
            event.body,
            own if event.has_own_id else once,
            sender=sender,
        )
        for event in events
    ]


def invocation_entry(
    event: AcceptedEvent, caller: Caller, slug: str, *, is_seeded: bool, trace_parent: str
) -> EventEntry:
    """The entry that starts one function, whatever its triggers."""
    context = EventContext(
        function_id=slug,
        source="invoke",
        remember=is_seeded or event.has_own_id,
        trace_parent=trace_parent,
    )
    entry = EventEntry(event.internal_id, *caller.tenant, event.name, event.body, context)
    return entry._replace(sender=caller.sender)


def checked_trace_parent(header: bytes | None) -> str:
    """A W3C traceparent, or nothing where the header is absent or malformed."""
    if header is None or not _TRACE_PARENT.fullmatch(header):
        return ""
    return header.decode()
