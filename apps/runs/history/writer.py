"""The history writer's loop: read, merge, commit, acknowledge, tell (design 5.4).

Nothing is acknowledged before it is committed. What cannot be stored is put aside with its reason;
a database or a Redis that is busy or away is waited for.
"""

import asyncio
import logging
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from django.conf import settings
from django.db import Error as DatabaseError

from apps.engine import crashpoints
from apps.engine.keys import Keys
from apps.engine.store.client import RedisClient, RedisError, RedisUnavailable
from apps.runs.history.database import HistoryDatabase, Written
from apps.runs.history.hints import Hints, layer_hints
from apps.runs.history.store import UNSTORABLE
from apps.runs.history.streams import READ_COUNT, Entry, HistoryStreams
from apps.runs.history.trimming import trim_streams

# After a small read, wait for more: many small transactions would cost more than the work in them.
GATHER_SECONDS = 0.05
TRIM_SECONDS = 3.0
CLAIM_SECONDS = 30.0
STATISTICS_SECONDS = 600.0
_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 5.0

logger = logging.getLogger(__name__)


class HistoryWriter:
    """Drains a shard's history and event streams into the database `using`.

    Any number may run; `consumer` names this one's share, and a restart under the same name begins
    with what the last one left unfinished.
    """

    name = "history-writer"

    def __init__(
        self,
        *,
        redis_url: str = "",
        shard: str = "",
        consumer: str = "",
        using: str = "default",
        hints: Callable[[HistoryDatabase], Hints] = layer_hints,
    ) -> None:
        shard = shard or settings.STEPWELL_SHARD
        self._keys = Keys(shard)
        self._client = RedisClient(redis_url or settings.REDIS_URL)
        self._blocking = self._client.clone()
        self._streams = HistoryStreams(
            self._keys, consumer or socket.gethostname(), self._client, self._blocking
        )
        self._database = HistoryDatabase(self._keys, shard, using)
        self._make_hints = hints
        self._is_trim_due = False
        self._trimmed_at = 0.0
        self._analysed_at = 0.0
        self._claimed_at = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set. What is unfinished then is taken up by the next start."""
        self._stop = stop
        self._hints = self._make_hints(self._database)
        self._stopping = asyncio.create_task(stop.wait())
        helpers = [asyncio.create_task(self._hints.run()), self._stopping]
        try:
            await self._keep_trying(self._session)
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
            await self._database.close()
            await self._client.close()
            await self._blocking.close()

    async def _keep_trying(self, work: Callable[[], Awaitable[None]]) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                return await work()
            except (RedisUnavailable, RedisError, DatabaseError) as error:
                if self._stop.is_set():
                    return None
                logger.warning("History waits and tries again: %s: %s", type(error).__name__, error)
                await self._database.disconnect()
            if time.monotonic() - began > _LONGEST_PAUSE_SECONDS:
                pause = _FIRST_PAUSE_SECONDS
            await self._rest(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        return None

    async def _session(self) -> None:
        await self._streams.create_groups()
        while not self._stop.is_set() and (pending := await self._streams.read_own_pending()):
            await self._handle(pending)
        while not self._stop.is_set():
            await self._maintain()
            entries = await self._read_unless_stopped()
            await self._handle(entries)
            if 0 < len(entries) < READ_COUNT:
                await self._rest(GATHER_SECONDS)

    async def _read_unless_stopped(self) -> list[Entry]:
        read = asyncio.create_task(self._streams.read_new(self._longest_wait_ms()))
        await asyncio.wait({read, self._stopping}, return_when=asyncio.FIRST_COMPLETED)
        if read.done():
            return read.result()
        # What the server has sent already stays pending, for the next start.
        read.cancel()
        await asyncio.gather(read, return_exceptions=True)
        return []

    async def _handle(self, entries: Sequence[Entry]) -> None:
        """Store `entries` and acknowledge them; halves until what cannot be stored is alone."""
        if not entries:
            return
        try:
            written = await self._database.write(entries)
        except UNSTORABLE as error:
            if len(entries) > 1:
                middle = len(entries) // 2
                await self._handle(entries[:middle])
                await self._handle(entries[middle:])
                return
            written = Written(0, [], [], [(entries[0], f"{type(error).__name__}: {error}")])
        await self._finish(entries, written)

    async def _finish(self, entries: Sequence[Entry], written: Written) -> None:
        for entry, reason in written.refused:
            logger.error("History entry %s of %s was put aside: %s", entry.id, entry.stream, reason)
            await self._streams.put_aside(entry, reason)
        crashpoints.reach("history_written")
        await self._streams.acknowledge(entries)
        self._is_trim_due = True
        self._hints.add(written.runs, written.listed, written.version)

    async def _maintain(self) -> None:
        now = time.monotonic()
        if now - self._claimed_at >= CLAIM_SECONDS:
            self._claimed_at = now
            await self._handle(await self._streams.claim_abandoned())
        if self._is_trim_due and now - self._trimmed_at >= TRIM_SECONDS:
            self._trimmed_at, self._is_trim_due = now, False
            await trim_streams(self._client, self._keys)
            if now - self._analysed_at >= STATISTICS_SECONDS:
                self._analysed_at = now
                await self._database.refresh_statistics()

    def _longest_wait_ms(self) -> int:
        return int((TRIM_SECONDS if self._is_trim_due else CLAIM_SECONDS) * 1000)

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)
