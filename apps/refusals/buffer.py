"""Refusals of this process that are not stored yet, counted."""

import threading
from dataclasses import dataclass

from apps.engine import clock
from apps.engine.telemetry import count_refusal
from apps.refusals.refusal import Refusal

MAX_PENDING = 256


@dataclass(slots=True)
class Tally:
    """How often a refusal came, when first and last (ms), and the end of the last unknown key."""

    count: int
    first_ms: int
    last_ms: int
    key_end: str = ""


class RefusalBuffer:
    """Bounded, and safe to use from any thread: views run in threads, thin handlers on the loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tallies: dict[Refusal, Tally] = {}
        self._overflow = 0

    def note(self, refusal: Refusal, key_end: str = "") -> None:
        """Count a refusal. One of a new kind is dropped, and only counted, when the buffer is full."""
        now = clock.now_ms()
        count_refusal(refusal.status)
        with self._lock:
            tally = self._tallies.get(refusal)
            if tally is not None:
                tally.count += 1
                tally.last_ms = now
                tally.key_end = key_end or tally.key_end
            elif len(self._tallies) < MAX_PENDING:
                self._tallies[refusal] = Tally(1, now, now, key_end)
            else:
                self._overflow += 1

    def take(self) -> tuple[dict[Refusal, Tally], int]:
        """What was counted since the last call, and how many refusals were dropped."""
        with self._lock:
            taken = self._tallies, self._overflow
            self._tallies, self._overflow = {}, 0
        return taken


# Every door of the process; the web process's RefusalSender empties it.
process_refusals = RefusalBuffer()
