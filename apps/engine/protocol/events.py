"""Events as senders post them, checked and brought into the form that functions see (spec 01, chapter 5).

`data` and `user` stay the bytes that the sender sent; only `_inngest`, the engine's own member of
`data`, is taken out.
"""

from typing import NamedTuple

import msgspec
import orjson

from apps.engine.protocol.event_batches import TOO_DEEP, split_batch
from apps.engine.protocol.event_errors import EventRejected, MalformedEvent
from apps.engine.protocol.ids import Seed, new_ulid, seeded_ulid
from apps.engine.protocol.raw_json import quote, without_lone_surrogates
from apps.engine.protocol.sessions import MEMBERS, SessionsError, merge_sessions

MAX_EVENTS = 5000
MAX_NAME_LENGTH = 256
MAX_ID_LENGTH = 512
MAX_META_BYTES = 32 * 1024
MAX_NESTING = 500
MIN_TS_MS = 315_532_800_000  # 1980-01-01
MAX_TS_MS = 4_102_444_800_000  # 2100-01-01
RESERVED_PREFIX = "inngest/"
INVOKED = "inngest/function.invoked"

_WHITE_SPACE = b" \t\r\n"
_ABSENT = msgspec.Raw(b"")


class AcceptedEvent(NamedTuple):
    """`body` is what functions see; `has_own_id` tells whether its id came from the sender."""

    internal_id: str
    name: str
    body: bytes
    has_own_id: bool


class ParsedEvents(NamedTuple):
    """The events before the first bad one, in order, and what is wrong with that one."""

    accepted: list[AcceptedEvent]
    error: str | None


class _Incoming(msgspec.Struct, gc=False):
    name: str | None = None
    data: msgspec.Raw = _ABSENT
    user: msgspec.Raw = _ABSENT
    id: str | None = None
    ts: int | None = None
    v: str | None = None
    meta: msgspec.Raw = _ABSENT


_decoder = msgspec.json.Decoder(_Incoming)
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


def parse_events(body: bytes, *, received_ms: int, max_bytes: int, seed: Seed | None) -> ParsedEvents:
    """Parse the body of POST /e/: one event or an array, whatever its content type.

    `max_bytes` bounds each event. With a `seed` the internal ids follow from it, else they are new
    ids of `received_ms`. Never raises; an empty body or array holds no events and no error.
    """
    accepted: list[AcceptedEvent] = []
    try:
        for position, raw in enumerate(split_batch(_text(body)), start=1):
            if position > MAX_EVENTS:
                raise EventRejected(f"Cannot have more than {MAX_EVENTS} events in a batch")
            incoming = _decode(raw, max_bytes)
            name = _checked_name(incoming.name)
            internal_id = seeded_ulid(seed, position) if seed else new_ulid(received_ms)
            data = _without_engine_member(_object("data", incoming.data))
            accepted.append(_accept(incoming, name, data, internal_id, received_ms))
    except EventRejected as rejected:
        return ParsedEvents(accepted, str(rejected))
    return ParsedEvents(accepted, None)


def parse_invocation(
    body: bytes, slug: str, *, received_ms: int, max_bytes: int, seed: Seed | None
) -> AcceptedEvent:
    """Parse the body of POST /invoke/{slug} into the event that starts that function (spec 01, 5.9).

    Raises EventRejected, as MalformedEvent where the body is no event at all.
    """
    incoming = _decode(_text(body), max_bytes)
    data = _without_engine_member(_object("data", incoming.data))
    internal_id = seeded_ulid(seed, 0) if seed else new_ulid(received_ms)
    return _accept(incoming, INVOKED, _with_target(data, slug), internal_id, received_ms)


def event_body(
    *,
    name: str,
    event_id: str,
    ts: int,
    data: bytes,
    user: bytes = b"{}",
    v: str | None = None,
    meta: bytes = b"",
) -> bytes:
    """The event as functions see it, members in sorted order; `data`, `user`, `meta` are raw JSON objects."""
    return b'{"data":%b,"id":%b,%b"name":%b,"ts":%d,"user":%b%b}' % (
        data,
        quote(event_id),
        b'"meta":%b,' % meta if meta else b"",
        quote(name),
        ts,
        user,
        b',"v":%b' % quote(v) if v else b"",
    )


def _accept(incoming: _Incoming, name: str, data: bytes, internal_id: str, received_ms: int) -> AcceptedEvent:
    own_id = _checked_id(incoming.id)
    body = event_body(
        name=name,
        event_id=own_id or internal_id,
        ts=_checked_ts(incoming.ts) or received_ms,
        data=data,
        user=_object("user", incoming.user),
        v=incoming.v,
        meta=_meta(incoming.meta) if incoming.meta else b"",
    )
    return AcceptedEvent(internal_id, name, body, bool(own_id))


def _text(body: bytes) -> bytes:
    """The body without surrounding white space, in valid UTF-8 and without escapes of lone surrogates."""
    text = body.strip(_WHITE_SPACE)
    if not text.isascii():
        try:
            text.decode()
        except UnicodeDecodeError:
            raise MalformedEvent("Request body is not valid UTF-8") from None
    if b"\\ud" in text or b"\\uD" in text:
        return without_lone_surrogates(text)
    return text


def _decode(raw: bytes | msgspec.Raw, max_bytes: int) -> _Incoming:
    size = len(raw)
    if size > max_bytes:
        raise EventRejected(f"Event is over the max size: Max {max_bytes} bytes / Size {size} bytes")
    try:
        return _decoder.decode(raw)
    except RecursionError:
        raise MalformedEvent(TOO_DEEP) from None
    except msgspec.DecodeError as exc:
        raise MalformedEvent(f"invalid event: {exc}") from None


def _checked_name(name: str | None) -> str:
    if not name:
        raise EventRejected("event name is empty")
    if name[:8].lower() == RESERVED_PREFIX:
        raise EventRejected(f"event name is reserved for internal use: {name}")
    if len(name) > MAX_NAME_LENGTH:
        raise EventRejected(f"event name is too long. maximum length is {MAX_NAME_LENGTH} characters")
    if "\0" in name:
        raise EventRejected("event name holds a NUL character")
    return name


def _checked_id(own_id: str | None) -> str:
    if not own_id:
        return ""
    if len(own_id) > MAX_ID_LENGTH:
        raise EventRejected(f"event id is too long. maximum length is {MAX_ID_LENGTH} characters")
    if "\0" in own_id:
        raise EventRejected("event id holds a NUL character")
    return own_id


def _checked_ts(ts: int | None) -> int:
    """0 where the event brings no time of its own."""
    if not ts:
        return 0
    if ts < MIN_TS_MS:
        raise EventRejected("timestamp is before Jan 1, 1980")
    if ts > MAX_TS_MS:
        raise EventRejected("timestamp is after Jan 1, 2100")
    return ts


def _object(field: str, raw: msgspec.Raw) -> bytes:
    text = bytes(raw)
    if not text or text == b"null":
        return b"{}"
    if not text.startswith(b"{"):
        raise MalformedEvent(f"event {field} must be an object")
    if text != b"{}":
        _check_values(field, text)
    return text


def _check_values(field: str, text: bytes) -> None:
    """Refuse what could not be sent on: numbers beyond a double's range, and bottomless nesting."""
    probe = text
    if text.count(b"{") + text.count(b"[") > MAX_NESTING:
        room = 1024 - MAX_NESTING  # orjson reads 1024 levels
        probe = b"[" * room + text + b"]" * room
    try:
        orjson.loads(probe)
    except orjson.JSONDecodeError as exc:
        raise MalformedEvent(f"invalid event {field}: {exc.msg}") from None


def _without_engine_member(data: bytes) -> bytes:
    if b"_inngest" not in data and b"\\u" not in data:
        return data
    members = _members.decode(data)
    if members.pop("_inngest", None) is None:
        return data
    return msgspec.json.encode(members)


def _with_target(data: bytes, slug: str) -> bytes:
    members = _members.decode(data)
    target = msgspec.Raw(b'{"fn_id":%b}' % quote(slug))
    return msgspec.json.encode({"_inngest": target, **members})


def _meta(raw: msgspec.Raw) -> bytes:
    """The event's `meta` with its sessions merged; empty where nothing is left of it."""
    text = _object("meta", raw)
    if len(text) > MAX_META_BYTES:
        raise EventRejected(
            f"Event meta is over the max size: Max {MAX_META_BYTES} bytes / Size {len(text)} bytes"
        )
    members = _members.decode(text)
    if not any(member in members for member in MEMBERS):
        return text if members else b""
    try:
        sessions = merge_sessions(orjson.loads(text))
    except SessionsError as exc:
        raise EventRejected(str(exc)) from None
    for member in MEMBERS:
        members.pop(member, None)
    if sessions:
        members["sessions"] = msgspec.Raw(orjson.dumps(sessions))
    return msgspec.json.encode(members) if members else b""
