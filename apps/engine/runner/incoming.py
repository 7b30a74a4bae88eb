"""One entry of the event stream as the runner works on it."""

from functools import cached_property
from typing import Any

import msgspec

from apps.engine.event_stream import EventEntry, parse_entry
from apps.engine.protocol import ids


class _Header(msgspec.Struct):
    id: str = ""
    ts: int = 0


_header_decoder = msgspec.json.Decoder(_Header)


class Incoming:
    """An event with its place in the stream; its body is decoded only when something looks inside."""

    def __init__(self, stream_id: bytes, flat: list[bytes]) -> None:
        self.stream_id = stream_id.decode()
        fields = {flat[i]: flat[i + 1] for i in range(0, len(flat), 2)}
        self.entry: EventEntry = parse_entry(fields)

    @property
    def received_at(self) -> int:
        """Milliseconds since the epoch, from the internal id."""
        return ids.ulid_time_ms(self.entry.internal_id)

    @cached_property
    def header(self) -> _Header:
        return _header_decoder.decode(self.entry.body)

    @cached_property
    def event(self) -> dict[str, Any]:
        """The event as expressions see it."""
        decoded: dict[str, Any] = msgspec.json.decode(self.entry.body)
        return decoded
