"""The body of an event request as a sequence of raw events."""

import json
import re
from collections.abc import Iterable, Iterator

import msgspec

from apps.engine.protocol.event_errors import EventRejected

NOT_EVENTS = "Request body must contain an event object or an array of event objects"
TOO_DEEP = "event is nested too deeply"

_batch = msgspec.json.Decoder(list[msgspec.Raw])
_scanner = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")


def split_batch(text: bytes) -> Iterable[bytes | msgspec.Raw]:
    """The events of a body without surrounding white space: none of an empty one, each of an array.

    Raises EventRejected, for malformed JSON after the events that come before it.
    """
    first = text[:1]
    if first == b"{":
        return (text,)
    if not first:
        return ()
    if first != b"[":
        raise EventRejected(NOT_EVENTS)
    try:
        return _batch.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return _scan(text.decode())


def _scan(text: str) -> Iterator[bytes]:
    """The elements of a malformed array up to the fault."""
    position = _skip_space(text, 1)
    while True:
        try:
            _, end = _scanner.raw_decode(text, position)
        except RecursionError:
            raise EventRejected(TOO_DEEP) from None
        except ValueError as exc:
            raise EventRejected(f"invalid JSON: {exc}") from None
        yield text[position:end].encode()
        position = _skip_space(text, end)
        following = text[position : position + 1]
        if following != ",":
            raise EventRejected(_fault_after_element(text, position))
        position = _skip_space(text, position + 1)


def _fault_after_element(text: str, position: int) -> str:
    following = text[position : position + 1]
    if not following:
        return "unexpected end of JSON input"
    if following != "]":
        return f"invalid character {following!r} after array element"
    trailing = text[_skip_space(text, position + 1) :][:1]
    return f"invalid character {trailing!r} after top-level value"


def _skip_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position
