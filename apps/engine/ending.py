"""How a run ends: the events that say so (spec 01, 10; spec 02, 1.8) and the record of it."""

import msgspec

from apps.engine.event_stream import EventContext, EventEntry, entry_fields
from apps.engine.functions import FunctionSpec
from apps.engine.protocol import ids, terminal
from apps.engine.store.client import Argument
from apps.engine.store.views import RunState

COMPLETED, FAILED, CANCELLED = "Completed", "Failed", "Cancelled"


class Deferral(msgspec.Struct, omit_defaults=True):
    """A run to start when this one ends (spec 01, 11.8). `input` and `meta` are raw JSON."""

    function_slug: str
    input: msgspec.Raw
    meta: msgspec.Raw = msgspec.Raw(b"")
    aborted: bool = False


def ending_events(
    spec: FunctionSpec,
    run_id: str,
    state: RunState,
    status: str,
    now: int,
    *,
    result: bytes | None = None,
    error: bytes | None = None,
) -> list[EventEntry]:
    """The terminal events of a run and the events of its deferrals, in the order they are sent."""
    meta = state.meta
    entries = terminal.terminal_events(
        slug=spec.slug,
        run_id=run_id,
        status=status,
        events=[bytes(event) for event in state.events],
        result=result,
        error=error,
        correlation_ids=[text or None for text in meta.correlation_ids] or [None] * len(meta.event_ids),
        now_ms=now,
        env_id=spec.env_id,
        account_id=spec.account_id,
    )
    for raw in state.defers.values():
        deferral = msgspec.json.decode(raw, type=Deferral)
        if not deferral.aborted:
            entries.append(_deferred_event(spec, run_id, deferral, now))
    return entries


def _deferred_event(spec: FunctionSpec, run_id: str, deferral: Deferral, now: int) -> EventEntry:
    internal_id = ids.new_ulid(now)
    data: dict[str, msgspec.Raw] = msgspec.json.decode(deferral.input, type=dict[str, msgspec.Raw])
    link = {
        "fn_slug": deferral.function_slug,
        "parent_app_id": spec.app_id,
        "parent_fn_id": spec.id,
        "parent_fn_slug": spec.slug,
        "parent_run_id": run_id,
    }
    data["_inngest"] = msgspec.Raw(msgspec.json.encode(link))
    name = "inngest/deferred.schedule"
    event: dict[str, object] = {"data": data, "id": internal_id, "name": name, "ts": now, "user": {}}
    if deferral.meta:
        event["meta"] = deferral.meta
    body = msgspec.json.encode(event, order="sorted")
    return EventEntry(internal_id, spec.env_id, spec.account_id, name, body, EventContext(source="engine"))


def event_arguments(entries: list[EventEntry]) -> list[Argument]:
    """`n x (n-fields, fields...)`, as append_events of the Lua library reads them."""
    args: list[Argument] = [len(entries)]
    for entry in entries:
        fields = entry_fields(entry)
        args.append(len(fields))
        args += fields
    return args
