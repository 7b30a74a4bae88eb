"""Look-ups of what happened a moment ago: the database follows the engine by milliseconds."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

from apps.engine import clock
from apps.engine.protocol.ids import ulid_time_ms

T = TypeVar("T")

RECENT_MS: Final = 30_000
PATIENCE_SECONDS: Final = 2.0
_PAUSE_SECONDS: Final = 0.02


def patiently(find: Callable[[], T | None], ulid: str) -> T | None:
    """What `find` returns; for an id that was made a moment ago it is asked again until the history
    writer has stored it, or patience ends."""
    is_recent = abs(clock.now_ms() - ulid_time_ms(ulid)) < RECENT_MS
    return awaited(find, PATIENCE_SECONDS if is_recent else 0)


def awaited(find: Callable[[], T | None], seconds: float) -> T | None:
    """The first result of `find`; None when there was none for so long."""
    deadline = time.monotonic() + seconds
    found = find()
    while found is None and time.monotonic() < deadline:
        time.sleep(_PAUSE_SECONDS)
        found = find()
    return found
