"""Opaque page cursors (spec 03, 6.5 and 6.11): base64 of small JSON objects."""

import base64
import binascii
from collections.abc import Sequence

import msgspec

from apps.api.graphql.reads.run_pages import Order, Position
from apps.engine.protocol.ids import is_ulid


class _Column(msgspec.Struct):
    f: str
    v: int


class _RunCursor(msgspec.Struct):
    id: str
    c: dict[str, _Column]


class _EventCursor(msgspec.Struct):
    id: str = msgspec.field(name="ID")


class BadCursor(ValueError):
    """The text is not a cursor of this list."""


def encode_run_cursor(position: Position) -> str:
    columns = {name: _Column(name, value) for name, value in position.values.items()}
    return _encoded(_RunCursor(position.run_id, columns))


def decode_run_cursor(text: str, orders: Sequence[Order]) -> Position | None:
    """None for a text that is not a cursor of this order: such a cursor is ignored."""
    try:
        cursor = msgspec.json.decode(_decoded(text), type=_RunCursor)
        return Position(cursor.id, {order.column: cursor.c[order.column].v for order in orders})
    except (BadCursor, msgspec.MsgspecError, KeyError):
        return None


def encode_event_cursor(internal_id: str) -> str:
    return _encoded(_EventCursor(internal_id))


def decode_event_cursor(text: str) -> str:
    """The event's internal id. Raises BadCursor."""
    try:
        internal_id = msgspec.json.decode(_decoded(text), type=_EventCursor).id
    except msgspec.MsgspecError as error:
        raise BadCursor(str(error)) from error
    if not is_ulid(internal_id):
        raise BadCursor("it names no event")
    return internal_id


def _encoded(cursor: msgspec.Struct) -> str:
    return base64.b64encode(msgspec.json.encode(cursor)).decode()


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadCursor(str(error)) from error
