"""The one place the engine takes its time from; tests set it."""

import time
from collections.abc import Callable

_now: Callable[[], float] = time.time


def now_ms() -> int:
    """Milliseconds since the Unix epoch."""
    return int(_now() * 1000)


def set_time_source(source: Callable[[], float] | None) -> None:
    """Replace the clock (seconds since the epoch); None restores the system's."""
    global _now
    _now = source or time.time
