"""How long a child that died waits for its next start."""

FIRST_SECONDS = 0.2
LONGEST_SECONDS = 5.0
STABLE_SECONDS = 10.0


class Backoff:
    """Doubles with each early death; a child that lived for `STABLE_SECONDS` starts over."""

    def __init__(self) -> None:
        self._next = FIRST_SECONDS

    def next_delay(self, lived_seconds: float) -> float:
        if lived_seconds >= STABLE_SECONDS:
            self._next = FIRST_SECONDS
        delay = self._next
        self._next = min(self._next * 2, LONGEST_SECONDS)
        return delay
