"""The event of an InvokeFunction (spec 01, 11.3; spec 02, 7.4)."""

import msgspec

from apps.engine.event_stream import EventContext, EventEntry
from apps.engine.executor.commit_builder import CommitBuilder
from apps.engine.protocol import ids, op_options, raw_json
from apps.engine.protocol.opcodes import Op

_encode_sorted = msgspec.json.Encoder(order="sorted").encode


class _InvokeLink(msgspec.Struct):
    depth: int = 0


class _InvokedData(msgspec.Struct):
    link: _InvokeLink = msgspec.field(name="_inngest", default_factory=_InvokeLink)


class _InvokedEvent(msgspec.Struct):
    data: _InvokedData = msgspec.field(default_factory=_InvokedData)


def invoke_depth(builder: CommitBuilder) -> int:
    """How deep a run that this one invokes is nested; 1 where no invoke started this one."""
    if builder.state.meta.event_names[:1] != ["inngest/function.invoked"]:
        return 1
    try:
        return msgspec.json.decode(builder.state.events[0], type=_InvokedEvent).data.link.depth + 1
    except msgspec.ValidationError:  # sent by something else than a step
        return 1


def invoke_event(
    builder: CommitBuilder, op: Op, options: op_options.InvokeOptions, correlation_id: str, depth: int
) -> EventEntry:
    """The event that starts the invoked run. Raises InvalidOptions."""
    spec, now = builder.spec, builder.now
    internal_id = ids.new_ulid(now)
    payload = options.payload
    data = raw_json.members(payload.get("data", b"{}"))
    if data is None:
        raise op_options.invalid_options(op, "the data of the payload is not an object")
    link = {
        "fn_id": options.function_id,
        "correlation_id": correlation_id,
        "expire": options.expires_ms,
        "name": op.display_name or op.name,
        "source_app_id": spec.app_id,
        "source_fn_id": spec.id,
        "source_fn_v": spec.version,
        "depth": depth,
    }
    data["_inngest"] = msgspec.Raw(_encode_sorted(link))
    name = "inngest/function.invoked"
    event: dict[str, object] = {
        "data": data,
        "id": raw_json.string(payload.get("id", b"")) or internal_id,
        "name": name,
        "ts": payload["ts"] if bytes(payload.get("ts", b"")).isdigit() else now,
        "user": payload.get("user", {}),
    }
    event |= {member: payload[member] for member in ("v", "meta") if member in payload}
    context = EventContext(function_id=options.function_id, correlation_id=correlation_id, source="invoke")
    return EventEntry(internal_id, spec.env_id, spec.account_id, name, _encode_sorted(event), context)
