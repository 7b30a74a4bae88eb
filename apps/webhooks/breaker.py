"""A webhook whose script runs into its limits again and again is left alone for a while (spec 05, A.4)."""

import logging
import time
from typing import Final

LIMIT: Final = 20
PAUSE_SECONDS: Final = 60.0
_MAX_KNOWN = 10_000

logger = logging.getLogger(__name__)


class Breaker:
    """Counts, for this process, calls in a row that were killed. After `LIMIT` of them the webhook pauses;
    then one call more decides."""

    def __init__(self) -> None:
        self._failures: dict[str, int] = {}
        self._open_until: dict[str, float] = {}

    def seconds_left(self, webhook_id: str) -> float:
        """How long its scripts are not run; 0: they are."""
        until = self._open_until.get(webhook_id)
        return 0.0 if until is None else max(0.0, until - time.monotonic())

    def note(self, webhook_id: str, *, is_limit: bool) -> None:
        if not is_limit:
            self._failures.pop(webhook_id, None)
            self._open_until.pop(webhook_id, None)
            return
        if len(self._failures) >= _MAX_KNOWN:
            self._failures.clear()
        failures = self._failures[webhook_id] = self._failures.get(webhook_id, 0) + 1
        if failures >= LIMIT:
            self._open_until[webhook_id] = time.monotonic() + PAUSE_SECONDS
            logger.error(
                "webhook %s: its script was ended %d times in a row; it pauses", webhook_id, failures
            )
