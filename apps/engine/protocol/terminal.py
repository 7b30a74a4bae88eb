"""The internal events at the end of a run (spec 01, 10.2 and 10.3; spec 02, 1.8)."""

from collections.abc import Iterator, Sequence

import msgspec

from apps.engine.event_stream import EventContext, EventEntry
from apps.engine.protocol.events import event_body
from apps.engine.protocol.ids import new_ulid
from apps.engine.protocol.raw_json import quote

FINISHED = "inngest/function.finished"
FAILED = "inngest/function.failed"
CANCELLED = "inngest/function.cancelled"

_SECOND_EVENT = {"Failed": FAILED, "Cancelled": CANCELLED}
# Runs that these start report nothing: an onFailure function that fails must not start itself again.
_SILENT = frozenset({FINISHED, FAILED})


class _Envelope(msgspec.Struct, gc=False):
    name: str = ""
    meta: msgspec.Raw = msgspec.Raw(b"")


_envelope = msgspec.json.Decoder(_Envelope)


def terminal_events(
    *,
    slug: str,
    run_id: str,
    status: str,
    events: Sequence[bytes],
    result: bytes | None,
    error: bytes | None,
    correlation_ids: Sequence[str | None],
    now_ms: int,
    env_id: str,
    account_id: str,
) -> list[EventEntry]:
    """The entries to add to the event stream when a run ends; none for runs of finished or failed events.

    `status` is Completed, Failed or Cancelled; `events` are the run's input events as functions see
    them and `correlation_ids` stand at the same places (a shorter list leaves the rest without).
    `result` and `error` are raw JSON, None where there is none; a cancelled run has neither.
    Each finished entry carries its correlation id in its context too.
    """
    if _envelope.decode(events[0]).name in _SILENT:
        return []
    outcome = () if status == "Cancelled" else (("error", error), ("result", result))
    common = [(key, value) for key, value in outcome if value is not None]
    common += [
        ("_inngest", b'{"status":%b}' % quote(status)),
        ("events", b"[%b]" % b",".join(events)),
        ("function_id", quote(slug)),
        ("run_id", quote(run_id)),
    ]
    entries = []
    for event, correlation_id in _reported(events, correlation_ids):
        data = _data(common, event, correlation_id)
        meta = bytes(_envelope.decode(event).meta)
        for name in filter(None, (FINISHED, _SECOND_EVENT.get(status))):
            context = _context(name, correlation_id)
            entries.append(_entry(name, run_id, data, meta, context, now_ms, env_id, account_id))
    return entries


def _reported(
    events: Sequence[bytes], correlation_ids: Sequence[str | None]
) -> Iterator[tuple[bytes, str | None]]:
    """The first event, and each further one that an invoker waits for."""
    for position, event in enumerate(events):
        correlation_id = correlation_ids[position] if position < len(correlation_ids) else None
        if position == 0 or correlation_id:
            yield event, correlation_id


def _data(common: Sequence[tuple[str, bytes]], event: bytes, correlation_id: str | None) -> bytes:
    members = [*common, ("event", event)]
    if correlation_id:
        members.append(("correlation_id", quote(correlation_id)))
    members.sort(key=lambda member: member[0])
    return b"{%b}" % b",".join([b'"%b":%b' % (key.encode(), value) for key, value in members])


def _context(name: str, correlation_id: str | None) -> EventContext:
    """Failed and cancelled events bear the run's id, so that copies of them start nothing twice."""
    return EventContext(
        source="engine",
        remember=name != FINISHED,
        correlation_id=correlation_id or "" if name == FINISHED else "",
    )


def _entry(
    name: str,
    run_id: str,
    data: bytes,
    meta: bytes,
    context: EventContext,
    now_ms: int,
    env_id: str,
    account_id: str,
) -> EventEntry:
    internal_id = new_ulid(now_ms)
    own_id = internal_id if name == FINISHED else run_id
    body = event_body(name=name, event_id=own_id, ts=now_ms, data=data, meta=meta)
    return EventEntry(internal_id, env_id, account_id, name, body, context)
