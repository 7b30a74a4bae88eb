"""Events that are aimed at one function (spec 01, 11.3)."""

import msgspec

from apps.engine.event_stream import EventContext, EventEntry, entry_fields
from apps.engine.protocol import ids
from apps.engine.runner.incoming import Incoming
from apps.engine.store.client import Argument


def unknown_function_event(incoming: Incoming, now: int) -> list[Argument] | None:
    """The fields of the finished event that tells an invoke that its function does not exist.

    None where nobody waits for it.
    """
    context, entry = incoming.entry.context, incoming.entry
    if not context.correlation_id:
        return None
    message = f"could not find function with ID: {context.function_id}"
    return _failed_invoke(entry, context.correlation_id, message, now)


def _failed_invoke(entry: EventEntry, correlation_id: str, message: str, now: int) -> list[Argument]:
    name = "inngest/function.finished"
    internal_id = ids.new_ulid(now)
    data = {
        "correlation_id": correlation_id,
        "error": {"message": message, "name": "Error"},
        "event": msgspec.Raw(entry.body),
        "function_id": "",
        "run_id": "",
        "_inngest": {"status": "Failed"},
    }
    event = {"data": data, "id": internal_id, "name": name, "ts": now, "user": {}}
    context = EventContext(correlation_id=correlation_id, source="engine")
    body = msgspec.json.encode(event, order="sorted")
    return [*entry_fields(EventEntry(internal_id, entry.env_id, entry.account_id, name, body, context))]
