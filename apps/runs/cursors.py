"""Opaque positions in keyset pages: base64 of the JSON list of the last row's key."""

import base64
import binascii
import json

Key = tuple[int, str]


class BadCursor(ValueError):
    """The cursor was not made by this server."""


def encode_cursor(key: Key) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


def decode_cursor(cursor: str) -> Key:
    """Raises BadCursor."""
    try:
        number, text = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (binascii.Error, ValueError, TypeError) as error:
        raise BadCursor(cursor) from error
    if not isinstance(number, int) or not isinstance(text, str):
        raise BadCursor(cursor)
    return number, text
