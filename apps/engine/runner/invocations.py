"""Events that are aimed at one function (spec 01, 11.3)."""

import msgspec

from apps.engine.event_stream import EventContext, EventEntry, entry_fields
from apps.engine.protocol import ids
from apps.engine.runner.incoming import Incoming
from apps.engine.store.client import Argument


def failed_invoke_event(incoming: Incoming, correlation_id: str, message: str, now: int) -> list[Argument]:
    """The fields of the finished event that tells the invoke why its function does not run."""
    entry = incoming.entry
    name = "inngest/function.finished"
    internal_id = ids.new_ulid(now)
    data = {
        "correlation_id": correlation_id,
        "error": {"message": message, "name": "Error"},
        "event": msgspec.Raw(incoming.bodies[0]),
        "function_id": "",
        "run_id": "",
        "_inngest": {"status": "Failed"},
    }
    event = {"data": data, "id": internal_id, "name": name, "ts": now, "user": {}}
    context = EventContext(correlation_id=correlation_id, source="engine")
    body = msgspec.json.encode(event, order="sorted")
    return [*entry_fields(EventEntry(internal_id, entry.env_id, entry.account_id, name, body, context))]
