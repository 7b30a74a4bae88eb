"""Between a delivery and the scripts of its webhook: what they are called with, what counts as a result."""

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
import orjson

from apps.engine.protocol.events import MAX_EVENTS, AcceptedEvent, parse_events
from apps.webhooks.bodies import Parsed
from apps.webhooks.incoming import Incoming
from apps.webhooks.runtime.messages import MAX_SOURCE_BYTES, Call, Function, Result

_ABSENT: Final = (b"", b"null")
# Of the JSON text: the largest body, escaped, and headers.
_MAX_ANSWER: Final = 512 * 1024
_MAX_ANSWER_BODY: Final = 64 * 1024
_MAX_ANSWER_HEADERS: Final = 50
_TOKEN = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]{1,64}")
_VALUE = re.compile(r"[\t\x20-\x7e]{0,1024}")
# Anyone may write scripts, and answers share their origin with the dashboard: no markup, no cookies, no
# redirects, no headers that a proxy or a browser would obey. What remains is what handshakes need.
_ANSWER_HEADERS: Final = ("webhook-", "x-hook-", "x-webhook-")
_ANSWER_TYPES: Final = ("application/json", "text/plain")


class ResultInvalid(ValueError):
    """The script returned something else than it must; the message says what."""


class Answer(NamedTuple):
    """What the response function wants to be answered."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class _Event(msgspec.Struct):
    name: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"")
    id: str | None = None
    ts: int | float | None = None
    user: msgspec.Raw = msgspec.Raw(b"")
    v: str | None = None


class _Answer(msgspec.Struct):
    status: int = 200
    headers: dict[str, str] = {}
    body: msgspec.Raw = msgspec.Raw(b"")


_list_decoder = msgspec.json.Decoder(list[msgspec.Raw])
_event_decoder = msgspec.json.Decoder(_Event)
_answer_decoder = msgspec.json.Decoder(_Answer)


def script_call(
    source: str,
    incoming: Incoming,
    parsed: Parsed,
    *,
    function: Function = Function.TRANSFORM,
    is_preview: bool = False,
) -> Call:
    return Call(
        source=source,
        event=parsed.event,
        headers=incoming.canonical_headers,
        query={name: list(values) for name, values in incoming.query.items()},
        raw=parsed.raw,
        now_ms=incoming.received_ms,
        function=function,
        is_preview=is_preview,
    )


def is_too_long(source: str) -> bool:
    return len(source.encode(errors="replace")) > MAX_SOURCE_BYTES


def emitted_events(
    value: str, *, meta: Mapping[str, object], received_ms: int, max_bytes: int
) -> list[AcceptedEvent]:
    """The events that a transform returned, all of them or none; empty where it returned null.

    `meta` becomes a member of each. Raises ResultInvalid, naming the first missing or wrong field.
    """
    if value == "null":
        return []
    parts = _items(value)
    if len(parts) > MAX_EVENTS:
        raise ResultInvalid(f"Cannot have more than {MAX_EVENTS} events in a batch")
    encoded_meta = orjson.dumps(dict(meta))
    bodies = [_event(part, encoded_meta, _position(index, parts)) for index, part in enumerate(parts)]
    parsed = parse_events(
        b"[%b]" % b",".join(bodies), received_ms=received_ms, max_bytes=max_bytes, seed=None
    )
    if parsed.error:
        raise ResultInvalid(f"{_position(len(parsed.accepted), parts)}{parsed.error}")
    return parsed.accepted


def response_of(value: str) -> Answer | None:
    """What a response function returned; None: the delivery is an event. Raises ResultInvalid."""
    if value == "null":
        return None
    if len(value) > _MAX_ANSWER:
        raise ResultInvalid("respond: the answer is too large")
    try:
        answer = _answer_decoder.decode(value)
    except (msgspec.DecodeError, RecursionError) as problem:
        raise ResultInvalid(f"respond: {problem}") from None
    if not (200 <= answer.status <= 299 or 400 <= answer.status <= 599):
        raise ResultInvalid("respond: the status is neither a success nor an error")
    body = _answer_body(bytes(answer.body))
    return Answer(answer.status, _answer_headers(answer.headers), body)


def thrown_message(result: Result) -> str:
    """One line: what went wrong in the script, and where."""
    where = f" (line {result.line})" if result.line else ""
    return f"{' '.join(result.message.split())}{where}"


def _items(value: str) -> Sequence[msgspec.Raw]:
    if not value.startswith("["):
        return [msgspec.Raw(value.encode())]
    try:
        return _list_decoder.decode(value)
    except (msgspec.DecodeError, RecursionError) as problem:
        raise ResultInvalid(str(problem)) from None


def _position(index: int, parts: Sequence[msgspec.Raw]) -> str:
    return f"event {index + 1}: " if len(parts) > 1 else ""


def _event(raw: msgspec.Raw, meta: bytes, where: str) -> bytes:
    text = bytes(raw)
    if not text.startswith(b"{"):
        raise ResultInvalid(f"{where}the result is not an event, which is an object")
    try:
        event = _event_decoder.decode(text)
    except (msgspec.DecodeError, RecursionError) as problem:
        raise ResultInvalid(f"{where}{problem}") from None
    if not event.name:
        raise ResultInvalid(f"{where}the event has no name")
    if bytes(event.data) in _ABSENT:
        raise ResultInvalid(f"{where}the event has no data")
    if not bytes(event.data).startswith(b"{"):
        raise ResultInvalid(f"{where}the data of the event is not an object")
    return _encoded(event, meta)


def _encoded(event: _Event, meta: bytes) -> bytes:
    members = [b'"name":%b' % orjson.dumps(_plain(event.name or ""))]
    members += [b'"data":%b' % bytes(event.data), b'"meta":%b' % meta]
    if event.id:
        members.append(b'"id":%b' % orjson.dumps(_plain(event.id)))
    if event.ts is not None:
        members.append(b'"ts":%d' % round(event.ts))
    if bytes(event.user) not in _ABSENT:
        members.append(b'"user":%b' % bytes(event.user))
    if event.v:
        members.append(b'"v":%b' % orjson.dumps(_plain(event.v)))
    return b"{%b}" % b",".join(members)


def _plain(text: str) -> str:
    return text.encode(errors="replace").decode()


def _answer_body(raw: bytes) -> bytes:
    """Text as it is, anything else as JSON."""
    body = raw
    if raw in _ABSENT:
        return b""
    if raw.startswith(b'"'):
        body = msgspec.json.decode(raw, type=str).encode(errors="replace")
    if len(body) > _MAX_ANSWER_BODY:
        raise ResultInvalid("respond: the body is too large")
    return body


def _answer_headers(given: Mapping[str, str]) -> tuple[tuple[bytes, bytes], ...]:
    if len(given) > _MAX_ANSWER_HEADERS:
        raise ResultInvalid(f"respond: there are more than {_MAX_ANSWER_HEADERS} headers")
    lower = {name.lower(): value for name, value in given.items()}
    kind = lower.get("content-type", "").partition(";")[0].strip().lower()
    found = [(b"content-type", (kind if kind in _ANSWER_TYPES else "text/plain").encode())]
    for name, value in lower.items():
        if name.startswith(_ANSWER_HEADERS) and _TOKEN.fullmatch(name) and _VALUE.fullmatch(value):
            found.append((name.encode(), value.encode()))
    found.append((b"x-content-type-options", b"nosniff"))
    found.append((b"content-security-policy", b"default-src 'none'; sandbox"))
    return tuple(found)
