"""A refused request, reduced to what may be kept of it."""

import re
from enum import StrEnum
from typing import NamedTuple

from apps.refusals.reasons import reason_of

HIDDEN = "…"
UNKNOWN = ""  # the environment of a caller that is not known

MAX_PATH_LENGTH = 200
SHOWN_KEY_LENGTH = 4

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_OTHER_METHOD = "OTHER"
# Of a shorter key four characters would be too large a part.
_MIN_KEY_LENGTH = 12
_KEY_END = re.compile(r"[A-Za-z0-9_-]{4}")


class Face(StrEnum):
    """Which door it was."""

    EVENTS = "events"
    INVOKE = "invoke"
    SDK = "sdk"
    REST = "rest"
    SYNC = "sync"


class Refusal(NamedTuple):
    """What makes two refusals the same; made by `refusal`."""

    env_id: str  # UNKNOWN: the caller's key named none
    face: str
    method: str
    path: str  # HIDDEN stands for each part that the caller chose
    status: int
    reason: str


def refusal(face: Face, *, method: str, path: str, status: int, error: str, env_id: str = UNKNOWN) -> Refusal:
    """`path` without keys, ids and query; `error` is the text of the answer, and may quote the request."""
    return Refusal(
        env_id,
        face.value,
        method if method in _METHODS else _OTHER_METHOD,
        path[:MAX_PATH_LENGTH],
        status,
        reason_of(error, status),
    )


def key_end(key: str) -> str:
    """The end by which its owner recognises a key that nobody else knows; empty where that says too much."""
    end = key[-SHOWN_KEY_LENGTH:]
    return end if len(key) >= _MIN_KEY_LENGTH and _KEY_END.fullmatch(end) else ""
