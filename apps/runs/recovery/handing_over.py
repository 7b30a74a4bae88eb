"""Events that were accepted and have no outcome are handed to the runner again, as the entries they were.

An entry keeps its stream id, so that its runs keep their ids, what happened before it and after it stays
so, and its outcome is stored under its own key. Runs that history has of it are told to the runner first.
"""

from collections.abc import Iterable, Sequence

from apps.engine.event_stream import EventContext, EventEntry, entry_fields, parse_context
from apps.engine.keys import Keys
from apps.engine.runner.incoming import Incoming
from apps.engine.runner.service import Runner
from apps.engine.store.client import Argument, RedisClient
from apps.events.models import Event

# As its keys in Redis last, should the runner never come to acknowledge it.
_REMEMBER_SECONDS = 3600


async def absent_from_stream(client: RedisClient, keys: Keys, events: Sequence[Event]) -> list[Event]:
    """Those events that the stream no longer has: the runner will not meet the others again by itself."""
    ids = [stream_id_of(event) for event in events]
    replies = await client.pipeline([("XRANGE", keys.events, one, one) for one in ids])
    return [event for event, reply in zip(events, replies, strict=True) if not reply]


async def hand_over(
    client: RedisClient,
    keys: Keys,
    runner: Runner,
    events: Iterable[tuple[Event, bytes]],
    runs: Iterable[tuple[str, str, str]],
) -> None:
    """Let the runner handle the events; `runs` are (internal event id, function id, run id) in history."""
    incoming = [incoming_of(event, body, parse_context(event.context)) for event, body in events]
    by_event: dict[str, list[tuple[str, str]]] = {}
    for event_id, function_id, run_id in runs:
        by_event.setdefault(event_id, []).append((function_id, run_id))
    commands: list[Sequence[Argument]] = []
    for one in incoming:
        key = f"{keys.prefix}:once:{one.stream_id}"
        for known in by_event.get(one.entry.internal_id, []):
            commands += [("HSET", key, *known), ("EXPIRE", key, _REMEMBER_SECONDS)]
    await client.pipeline(commands)
    await runner.handle(incoming, is_repeat=True)


def stream_id_of(event: Event) -> str:
    return event.key.partition(":")[2]


def incoming_of(event: Event, body: bytes, context: EventContext) -> Incoming:
    """The event as the entry that it was."""
    entry = EventEntry(
        event.internal_id,
        str(event.environment_id),
        str(event.account_id),
        event.name,
        body,
        context,
    )
    fields = [part.encode() if isinstance(part, str) else part for part in entry_fields(entry)]
    return Incoming(stream_id_of(event).encode(), fields)
