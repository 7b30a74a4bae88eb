"""The one thread in which a recovery reads the database, over a connection of its own."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

Result = TypeVar("Result")


class DatabaseThread:
    def __init__(self, using: str = "default") -> None:
        self._using = using
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="recovery")

    async def read(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._fresh, work)

    async def close(self) -> None:
        await self.read(self._close)
        self._thread.shutdown(wait=False)

    def _fresh(self, work: Callable[[], Result]) -> Result:
        """A connection that was lost is opened again."""
        connections[self._using].close_if_unusable_or_obsolete()
        return work()

    def _close(self) -> None:
        connections[self._using].close()
