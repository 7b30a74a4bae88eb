"""The scheduler's part in operations: unfinished ones go to workers, and a pause ends in time."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

from django.db import connections

from apps.engine import clock
from apps.engine.services import wait_for
from apps.operations import selectors, tasks
from apps.operations.choices import CancellationStatus
from apps.operations.models import Cancellation
from apps.operations.services.pausing import expire_pauses
from apps.operations.services.walking import CLAIM_MS

ROUND_SECONDS = 0.5
PAUSES_SECONDS = 60.0
# Tasks of one round, which share the workers with all other tasks.
_TASKS = 20


class Dispatcher:
    """What no worker works on is sent again, so that neither a lost task nor a dead worker loses anything."""

    name = "operations"

    def __init__(self) -> None:
        self._pauses_at = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        # One thread, so that one database connection serves all rounds.
        with ThreadPoolExecutor(1, thread_name_prefix=self.name) as thread:
            try:
                while not stop.is_set():
                    await loop.run_in_executor(thread, self._round)
                    await wait_for(stop, ROUND_SECONDS)
            finally:
                thread.submit(connections.close_all)

    def _round(self) -> None:
        if time.monotonic() >= self._pauses_at:
            expire_pauses()
            self._pauses_at = time.monotonic() + PAUSES_SECONDS
        dispatch_due()


def dispatch_due() -> list[str]:
    """Send a task for each cancellation that waits for a worker; their ids. Raises without a broker."""
    now = clock.now_ms()
    sent = [
        found for found, due_at in selectors.due_cancellations(now, _TASKS) if _reserve(found, due_at, now)
    ]
    for cancellation_id in sent:
        tasks.cancellation_walk.apply_async((cancellation_id,), retry=False)
    return sent


def _reserve(cancellation_id: str, due_at: int, now: int) -> bool:
    """True for the one scheduler that sends it; should the task get lost, it falls due again."""
    rows = Cancellation.objects.filter(id=cancellation_id, due_at=due_at, status=CancellationStatus.RUNNING)
    return rows.update(due_at=now + CLAIM_MS) == 1
