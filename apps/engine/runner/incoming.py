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


class _Named(msgspec.Struct):
    name: str = ""


_array_decoder = msgspec.json.Decoder(list[msgspec.Raw])
_name_decoder = msgspec.json.Decoder(_Named)
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

    @property
    def is_batch(self) -> bool:
        return self.entry.context.source == "batch"

    @cached_property
    def bodies(self) -> list[bytes]:
        """The events of the entry: one, or those of a batch."""
        if not self.is_batch:
            return [self.entry.body]
        return [bytes(raw) for raw in _array_decoder.decode(self.entry.body)]

    @property
    def event_ids(self) -> list[str]:
        return list(self.entry.batch_ids) if self.is_batch else [self.entry.internal_id]

    @property
    def event_names(self) -> list[str]:
        return (
            [_name_decoder.decode(body).name for body in self.bodies] if self.is_batch else [self.entry.name]
        )

    @property
    def correlation_ids(self) -> list[str]:
        """One for each event, empty where no invoke waits; none at all where that is so for all of them."""
        if not self.is_batch:
            return [self.entry.context.correlation_id] if self.entry.context.correlation_id else []
        found = ["" if word == "-" else word for word in self.entry.batch_correlations]
        return found if any(found) else []

    @property
    def events_json(self) -> bytes:
        return self.entry.body if self.is_batch else b"[" + self.entry.body + b"]"

    @cached_property
    def header(self) -> Header:
        """Of the first event."""
        return _header(self.bodies[0])

    @cached_property
    def event(self) -> dict[str, Any]:
        """The first event as expressions see it."""
        decoded: dict[str, Any] = msgspec.json.decode(self.bodies[0])
        return decoded
