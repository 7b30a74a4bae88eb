"""Brings a process's refusals to Redis, once a second and when the process ends."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

from apps.engine.services import wait_for
from apps.engine.store.client import RedisError, RedisUnavailable
from apps.refusals.buffer import RefusalBuffer, Tally
from apps.refusals.refusal import Refusal
from apps.refusals.store import RefusalStore

EVERY_SECONDS: Final = 1.0
_TIMEOUT_SECONDS = 3.0
_FAILURES = (RedisUnavailable, RedisError, TimeoutError)

logger = logging.getLogger(__name__)


class RefusalSender:
    """A service of the web process (apps/engine/services.py); needs no other of its kind to be alone."""

    name = "refusals"

    def __init__(self, buffer: RefusalBuffer, store: RefusalStore) -> None:
        self._buffer = buffer
        self._store = store

    async def run(self, stop: asyncio.Event) -> None:
        try:
            while not await wait_for(stop, EVERY_SECONDS):
                await self.flush()
            await self.flush()
        finally:
            await self._store.close()

    async def flush(self) -> None:
        """Store what the buffer holds; what cannot be stored is logged instead, one line for each kind."""
        tallies, overflow = self._buffer.take()
        if overflow:
            logger.warning("%d more refused requests, of too many kinds to list", overflow)
        if not tallies:
            return
        try:
            await asyncio.wait_for(self._store.add(tallies), _TIMEOUT_SECONDS)
        except _FAILURES as exc:
            _log(tallies, exc)


def _log(tallies: Mapping[Refusal, Tally], problem: Exception) -> None:
    logger.warning("refused requests are only logged, Redis does not take them: %s", problem)
    for refusal, tally in tallies.items():
        logger.warning(
            "refused %d times: %s %s, %d %s",
            tally.count,
            refusal.method,
            refusal.path,
            refusal.status,
            refusal.reason,
        )
