"""The reaper: goes through the queue, a part each minute, and repairs what should never be (design 7)."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable

from apps.engine.keys import Keys
from apps.engine.recovery.verification import Page, Verifier
from apps.engine.runner.ownership import Ownership
from apps.engine.services import wait_for
from apps.engine.store.client import RedisClient

logger = logging.getLogger(__name__)

TURN_SECONDS = 60.0
# Pages of each of the two rounds in one turn: half a second of the server's time at most.
_PAGES = 100


class _Round:
    """Pages of the whole, over and over; each turn goes on where the last one stopped."""

    def __init__(self, begin: Callable[[], AsyncIterator[Page]]) -> None:
        self._begin = begin
        self._pages: AsyncIterator[Page] | None = None

    async def next_pages(self, count: int) -> AsyncIterator[Page]:
        for _ in range(count):
            if self._pages is None:
                self._pages = self._begin()
            page = await anext(self._pages, None)
            if page is None:
                self._pages = None
                return
            yield page


class Reaper:
    """One at a time a shard."""

    name = "reaper"

    def __init__(self, client: RedisClient, keys: Keys, *, turn_seconds: float = TURN_SECONDS) -> None:
        self._verifier = Verifier(client, keys)
        self._ownership = Ownership(client, f"{keys.prefix}:owner:reaper")
        self._turn_seconds = turn_seconds
        self._rounds = (_Round(self._driven), _Round(self._verifier.all_keys))

    async def run(self, stop: asyncio.Event) -> None:
        while not await self._ownership.acquire():
            if await wait_for(stop, self._turn_seconds):
                return
        keeping = asyncio.ensure_future(self._ownership.keep(stop))
        try:
            while self._ownership.is_held and not await wait_for(stop, self._turn_seconds):
                await self.turn()
        finally:
            keeping.cancel()
            await self._ownership.release()

    async def turn(self) -> Counter[str]:
        """Check and repair the next pages; how many violations of each kind there were."""
        found: Counter[str] = Counter()
        for part in self._rounds:
            async for page in part.next_pages(_PAGES):
                found += await self._verifier.check(page, repair=True)
        if found:
            shown = ", ".join(f"{kind} {count}" for kind, count in sorted(found.items()))
            logger.error("violations of the queue's invariants, repaired: %s", shown)
        return found

    async def _driven(self) -> AsyncIterator[Page]:
        """What keeps runs going, before all else."""
        async for page in self._verifier.functions():
            yield page
        async for page in self._verifier.lists():
            yield page
