"""Sessions in an event's `meta` (spec 01, 5.7; spec 03, 3.3)."""

from collections.abc import Mapping
from typing import TypeAlias

from apps.engine.protocol.jcs import number_text

Sessions: TypeAlias = dict[str, str]

MAX_SESSIONS = 5
MAX_KEY_BYTES = 128
MAX_ID_BYTES = 512
MEMBERS = ("sessions", "propagated_sessions")


class SessionsError(ValueError):
    """A limit of sessions is violated; the text names it."""


def merge_sessions(meta: Mapping[str, object]) -> Sessions:
    """The sessions of an event: its own, then propagated ones by key until there are five.

    A null id keeps a propagated session of that key out; null `sessions` keep all of them out.
    Raises SessionsError.
    """
    if "sessions" in meta and meta["sessions"] is None:
        return {}
    own = _ids(meta, "sessions")
    merged = {key: text for key, text in own.items() if text is not None}
    if len(merged) > MAX_SESSIONS:
        raise SessionsError(f"Cannot have more than {MAX_SESSIONS} sessions in an event")
    for key, text in sorted(_ids(meta, "propagated_sessions").items(), key=lambda item: item[0]):
        if len(merged) < MAX_SESSIONS and key not in own and text is not None:
            merged[key] = text
    return merged


def _ids(meta: Mapping[str, object], member: str) -> dict[str, str | None]:
    value = meta.get(member)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise SessionsError(f"meta.{member} must be an object")
    return {_checked_key(key): _id_text(identifier) for key, identifier in value.items()}


def _checked_key(key: str) -> str:
    if len(key.encode()) > MAX_KEY_BYTES:
        raise SessionsError(f"A session key is over the max size: Max {MAX_KEY_BYTES} bytes")
    return key


def _id_text(identifier: object) -> str | None:
    if identifier is None:
        return None
    text = _text(identifier)
    if len(text.encode()) > MAX_ID_BYTES:
        raise SessionsError(f"A session id is over the max size: Max {MAX_ID_BYTES} bytes")
    return text


def _text(identifier: object) -> str:
    if isinstance(identifier, str):
        return identifier
    if isinstance(identifier, bool) or not isinstance(identifier, int | float):
        raise SessionsError("A session id must be a string or a number")
    return str(identifier) if isinstance(identifier, int) else number_text(identifier)
