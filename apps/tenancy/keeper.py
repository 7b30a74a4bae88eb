"""The scheduler's part in tenancy: branches are archived in time, what was deleted goes, as do old entries of
audit logs, and the queue is told again what it may have missed."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import connections

from apps.engine.services import wait_for
from apps.tenancy.services.archiving import archive_due
from apps.tenancy.services.purging import purge_due
from apps.tenancy.services.retention import audit_trim_due
from apps.tenancy.services.shares import publish_all_shares

ROUND_SECONDS = 60.0
SHARES_SECONDS = 600.0
AUDIT_SECONDS = 3600.0

logger = logging.getLogger(__name__)


class Keeper:
    """Several may run at once: each act is idempotent."""

    name = "tenancy"

    def __init__(self) -> None:
        self._shares_at = time.monotonic() + SHARES_SECONDS
        self._audit_at = time.monotonic()

    async def run(self, stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        # One thread, so that one database connection serves all rounds.
        with ThreadPoolExecutor(1, thread_name_prefix=self.name) as thread:
            try:
                while not stop.is_set():
                    await loop.run_in_executor(thread, self.round)
                    await wait_for(stop, ROUND_SECONDS)
            finally:
                thread.submit(connections.close_all)

    def round(self) -> None:
        """A failure of one act does not keep the others from their turn."""
        self._try(archive_due)
        self._try(purge_due)
        if time.monotonic() >= self._shares_at:
            self._try(publish_all_shares)
            self._shares_at = time.monotonic() + SHARES_SECONDS
        if time.monotonic() >= self._audit_at:
            self._try(audit_trim_due)
            self._audit_at = time.monotonic() + AUDIT_SECONDS

    @staticmethod
    def _try(act: Callable[[], object]) -> None:
        try:
            act()
        except Exception:
            logger.exception("%s failed, it is tried again in %d s", act.__name__, ROUND_SECONDS)
