"""The scheduler's part: rebuilds a queue that was emptied, and compares it with history each minute."""

import asyncio
import logging
import os
import time
from collections.abc import Callable

from apps.engine.engine import Engine
from apps.engine.flow.policy import FlowPolicy
from apps.engine.recovery.epoch import Epoch
from apps.engine.runner.ownership import Ownership
from apps.engine.services import wait_for
from apps.engine.store.client import RedisClient
from apps.runs.recovery.reading import History
from apps.runs.recovery.rebuild import Rebuilder, Report
from apps.runs.recovery.reconciling import Reconciler
from apps.runs.recovery.restoring import RunRestorer
from apps.runs.recovery.thread import DatabaseThread

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
RECONCILE_SECONDS = 60.0
# What history writers had read before the server was emptied is stored by then.
SETTLE_SECONDS = 2.0


class Recovery:
    """One at a time a shard. `publish` gives the engine all functions; it runs in a thread."""

    name = "recovery"

    def __init__(
        self,
        client: RedisClient,
        shard: str,
        policy: FlowPolicy,
        publish: Callable[[], object],
        *,
        using: str = "default",
    ) -> None:
        self._engine = Engine(client, shard, policy)
        self._policy = policy
        self._publish = publish
        self._history = History(shard, using)
        self._epoch = Epoch(client, self._engine.keys)
        self._ownership = Ownership(client, f"{self._engine.keys.prefix}:owner:recovery")

    async def run(self, stop: asyncio.Event) -> None:
        while not await self._ownership.acquire():
            if await wait_for(stop, LOOK_SECONDS):
                return
        keeping = asyncio.ensure_future(self._ownership.keep(stop))
        thread = DatabaseThread(self._history.using)
        try:
            await self._watch(thread, stop)
        finally:
            keeping.cancel()
            await thread.close()
            await self._ownership.release()

    async def _watch(self, thread: DatabaseThread, stop: asyncio.Event) -> None:
        restorer = RunRestorer(self._engine, self._history, thread, self._policy)
        reconciler = Reconciler(self._engine, self._history, thread, restorer)
        reconciled_at = time.monotonic()
        while self._ownership.is_held and not stop.is_set():
            if not await self._epoch.is_set():
                await self._rebuild(thread, stop)
            elif time.monotonic() - reconciled_at >= RECONCILE_SECONDS:
                await self._reconcile(reconciler)
                reconciled_at = time.monotonic()
            await wait_for(stop, LOOK_SECONDS)

    async def _rebuild(self, thread: DatabaseThread, stop: asyncio.Event) -> None:
        token = os.urandom(8).hex()
        await self._epoch.begin(token)
        if await thread.read(self._history.has_work) and await wait_for(stop, SETTLE_SECONDS):
            return
        await asyncio.to_thread(self._publish)
        rebuilder = Rebuilder(self._engine, self._history, thread, self._policy)
        report = await rebuilder.rebuild(was_emptied=True)
        if await self._epoch.confirm(token) and report != Report(live=report.live):
            logger.warning("the queue was rebuilt from history: %s", report)

    async def _reconcile(self, reconciler: Reconciler) -> None:
        found = await reconciler.turn()
        if found:
            shown = ", ".join(f"{kind} {count}" for kind, count in sorted(found.items()))
            logger.error("queue and history disagreed: %s", shown)
