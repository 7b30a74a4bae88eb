"""Parts of an event's stored JSON text, without parsing the payload."""

import msgspec


class _Body(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw(b"{}")
    v: str | None = None


_decoder = msgspec.json.Decoder(_Body)


def event_data(body: str) -> str:
    """JSON text of `data`."""
    return bytes(_decoder.decode(body).data).decode()


def event_version(body: str) -> str:
    """The `v` field, empty when unset."""
    return _decoder.decode(body).v or ""
