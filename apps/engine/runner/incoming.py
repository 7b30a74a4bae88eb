"""One entry of the event stream as the runner works on it."""

from functools import cached_property
from typing import Any

import msgspec

from apps.engine.event_stream import EventEntry, parse_entry
from apps.engine.protocol import raw_json


class Header(msgspec.Struct):
    """What every event has; an `id` that is no text, or a `ts` that is no whole number, counts as absent."""

    id: str = ""
    ts: int = 0


class _OddHeader(msgspec.Struct):
    id: msgspec.Raw = msgspec.Raw(b"")
    ts: msgspec.Raw = msgspec.Raw(b"")


_header_decoder = msgspec.json.Decoder(Header)
_odd_header_decoder = msgspec.json.Decoder(_OddHeader)


def _header(body: bytes) -> Header:
    try:
        return _header_decoder.decode(body)
    except msgspec.ValidationError:
        odd = _odd_header_decoder.decode(body)
        ts = bytes(odd.ts)
        return Header(raw_json.string(odd.id) or "", int(ts) if ts.isdigit() else 0)


class Incoming:
    """An event with its place in the stream; its body is decoded only when something looks inside."""

    def __init__(self, stream_id: bytes, flat: list[bytes]) -> None:
        self.stream_id = stream_id.decode()
        fields = {flat[i]: flat[i + 1] for i in range(0, len(flat), 2)}
        self.entry: EventEntry = parse_entry(fields)

    @property
    def received_at(self) -> int:
        """Milliseconds since the epoch; rises from entry to entry, unlike the ids that senders seed."""
        return int(self.stream_id.partition("-")[0])

    @cached_property
    def header(self) -> Header:
        return _header(self.entry.body)

    @cached_property
    def event(self) -> dict[str, Any]:
        """The event as expressions see it."""
        decoded: dict[str, Any] = msgspec.json.decode(self.entry.body)
        return decoded
