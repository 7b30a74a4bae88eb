"""The executor: leases items from the fair queue and drives up to `capacity` of them at a time."""

import asyncio
import logging

from apps.engine import clock
from apps.engine.executor.drive import Driver
from apps.engine.executor.history import HistoryBuffer
from apps.engine.executor.rekeying import rekey_all
from apps.engine.executor.tracker import Tracker
from apps.engine.services import repeat, unless_stopped, wait_for
from apps.engine.store.client import RedisUnavailable
from apps.engine.store.functions import FunctionCache
from apps.engine.store.queue import Commit, LeaseBatch, Leased, Queue
from apps.engine.store.views import Item

logger = logging.getLogger(__name__)

_BATCH = 20
# Of a lease: it survives two extensions that come too late.
_EXTEND_AFTER = 0.25
_LOOK_SECONDS = 0.5
_AWAY_SECONDS = 0.5
# An idle worker is woken by push; this bounds what a wake-up lost to a killed worker costs.
_LONGEST_IDLE_MS = 2_000


class Executor:
    name = "executor"

    def __init__(
        self,
        queue: Queue,
        functions: FunctionCache,
        driver: Driver,
        tracker: Tracker,
        history: HistoryBuffer,
        *,
        capacity: int,
        grace_seconds: float = 5.0,
    ) -> None:
        self._queue = queue
        self._waker = queue.client.clone()
        self._functions = functions
        self._driver = driver
        self._tracker = tracker
        self._history = history
        self._capacity = capacity
        self._grace_seconds = grace_seconds
        self._tasks: set[asyncio.Task[None]] = set()
        self._has_room = asyncio.Event()
        self._may_lease = asyncio.Event()
        self._may_lease.set()

    @property
    def is_draining(self) -> bool:
        return not self._may_lease.is_set()

    @property
    def held(self) -> list[Item]:
        """The items that this worker works on at the moment."""
        return list(self._tracker.held.values())

    def drain(self) -> None:
        """Take no further items; those in hand are finished. To be called on the executor's loop."""
        self._may_lease.clear()

    def resume(self) -> None:
        """Lease again after `drain`. To be called on the executor's loop."""
        self._may_lease.set()

    async def run(self, stop: asyncio.Event) -> None:
        chores = [
            asyncio.ensure_future(repeat(stop, self._queue.lease_ms * _EXTEND_AFTER / 1000, self._extend)),
            asyncio.ensure_future(repeat(stop, _LOOK_SECONDS, self._show_long_steps)),
        ]
        try:
            while not stop.is_set():
                await self._lease_unless_away(stop)
        finally:
            await self._wind_down()
            for chore in chores:
                chore.cancel()
            await self._waker.close()
            # After an outage of Redis this service runs again, with the same client.
            if stop.is_set():
                await self._driver.close()

    async def _lease_unless_away(self, stop: asyncio.Event) -> None:
        """An absent server must not end the requests in flight: they wait for it with their commits."""
        try:
            await self._lease_once(stop)
        except RedisUnavailable as exc:
            logger.warning("Redis is not reachable (%s), trying again", exc)
            await wait_for(stop, _AWAY_SECONDS)

    async def _lease_once(self, stop: asyncio.Event) -> None:
        if self.is_draining:
            await unless_stopped(stop, self._may_lease.wait())
            return
        room = self._capacity - len(self._tasks)
        if room <= 0:
            self._has_room.clear()
            await unless_stopped(stop, self._has_room.wait())
            return
        asked = min(room, _BATCH)
        batch = await self._queue.lease(asked)
        await self._functions.refresh(batch.functions_version)
        if batch.unkeyed:
            await rekey_all(self._queue, self._functions, batch.unkeyed)
        for leased in batch.leased:
            self._start(leased)
        if len(batch.leased) + len(batch.unkeyed) < asked:
            await self._idle(stop, batch)

    async def _idle(self, stop: asyncio.Event, batch: LeaseBatch) -> None:
        due = batch.next_due_at
        wait_ms = _LONGEST_IDLE_MS if due is None else min(_LONGEST_IDLE_MS, due - clock.now_ms())
        if wait_ms > 0:
            key = f"{self._queue.prefix}:wake"
            await unless_stopped(stop, self._waker.execute("BLPOP", key, wait_ms / 1000))

    def _start(self, leased: Leased) -> None:
        task = asyncio.ensure_future(self._drive(leased))
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._has_room.set()

    async def _drive(self, leased: Leased) -> None:
        try:
            await self._driver.drive(leased, self._tracker)
        except RedisUnavailable as exc:
            logger.warning("item %s: Redis went away (%s); its lease will end", leased.item.id, exc)
        except Exception:
            logger.exception("item %s of run %s failed in the engine", leased.item.id, leased.item.run_id)

    async def _extend(self) -> None:
        if self._tracker.held:
            for item_id in await self._queue.extend(self._tracker.held.values()):
                self._tracker.lose(item_id)

    async def _show_long_steps(self) -> None:
        for record in self._tracker.newly_long():
            self._history.add(record)

    async def _wind_down(self) -> None:
        """Let requests in flight end within the grace period, then give the rest back to the queue."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._grace_seconds)
        for task in list(self._tasks):
            task.cancel()
        for item in list(self._tracker.held.values()):
            give_back = Commit(item=item, operations=["R", clock.now_ms(), 0, ""])
            try:
                await self._queue.commit(give_back)
            except RedisUnavailable:
                break
