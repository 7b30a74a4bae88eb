"""Database and queue compared, a part at a time (spec 02, 11.5): what the queue has lost is put back."""

import uuid
from collections import Counter
from collections.abc import AsyncIterator

from apps.engine import clock
from apps.engine.control import LiveRun, live_runs
from apps.engine.engine import Engine
from apps.runs.recovery.drained import wait_until_drained
from apps.runs.recovery.reading import UNFINISHED, History, has_ended
from apps.runs.recovery.restoring import RunRestorer
from apps.runs.recovery.thread import DatabaseThread

# Younger runs may still be on their way into either of the two.
SETTLED_MS = 300_000
PAGE = 500
_PAGES = 4

Pages = AsyncIterator[Counter[str]]


class Reconciler:
    """Kinds: `run_lost` (put back), `run_unrestorable` (ended as failed); `row_missing` and `row_ended` of
    runs that are live in the queue, which are left as they are."""

    def __init__(
        self, engine: Engine, history: History, thread: DatabaseThread, restorer: RunRestorer
    ) -> None:
        self._engine = engine
        self._history = history
        self._thread = thread
        self._restorer = restorer
        self._rounds: list[Pages | None] = [None, None]

    async def turn(self) -> Counter[str]:
        """Look at the next pages of both sides; what was found is counted in the queue's own counters."""
        await self._engine.functions.refresh()
        found: Counter[str] = Counter()
        for side in range(len(self._rounds)):
            for _ in range(_PAGES):
                page = await self._next(side)
                if page is None:
                    break
                found += page
        violations = self._engine.keys.violations
        await self._engine.client.pipeline(
            [("HINCRBY", violations, kind, count) for kind, count in found.items()]
        )
        return found

    async def _next(self, side: int) -> Counter[str] | None:
        pages = self._rounds[side] or (self._lost_runs(), self._unknown_runs())[side]
        self._rounds[side] = pages
        page = await anext(pages, None)
        if page is None:
            self._rounds[side] = None
        return page

    async def _lost_runs(self) -> Pages:
        """Runs that have not ended in history and are not live."""
        for environment_id in await self._thread.read(self._history.environments):
            for status in UNFINISHED:
                after = (0, "")
                while True:
                    rows = await self._thread.read(
                        lambda env=environment_id, status=status, after=after: self._history.unfinished(  # type: ignore[misc]
                            env, status, after, PAGE, clock.now_ms() - SETTLED_MS
                        )
                    )
                    if not rows:
                        break
                    after = (rows[-1].queued_at, rows[-1].run_id)
                    found = await self._restorer.page(environment_id, rows)
                    yield +Counter(run_lost=found.restored, run_unrestorable=found.failed)

    async def _unknown_runs(self) -> Pages:
        """Live runs that history does not know, or believes to have ended."""
        for spec in self._engine.functions.all():
            after = LiveRun(0, "")
            while True:
                until = clock.now_ms() - SETTLED_MS
                client, prefix = self._engine.client, self._engine.keys.prefix
                runs = await live_runs(client, prefix, spec.id, after, until, PAGE)
                if not runs:
                    break
                after = runs[-1]
                yield await self._compare(uuid.UUID(spec.env_id), [run.run_id for run in runs])

    async def _compare(self, environment_id: uuid.UUID, run_ids: list[str]) -> Counter[str]:
        rows = await self._thread.read(lambda: self._history.runs(environment_id, run_ids))
        suspects = [run_id for run_id in run_ids if run_id not in rows or has_ended(rows[run_id])]
        if not suspects:
            return Counter()
        await wait_until_drained(self._engine.client, self._engine.keys)
        rows = await self._thread.read(lambda: self._history.runs(environment_id, suspects))
        prefix = self._engine.keys.prefix
        replies = await self._engine.client.pipeline([("EXISTS", f"{prefix}:run:{one}") for one in suspects])
        found: Counter[str] = Counter()
        for run_id, is_live in zip(suspects, replies, strict=True):
            if is_live and run_id not in rows:
                found["row_missing"] += 1
            elif is_live and has_ended(rows[run_id]):
                found["row_ended"] += 1
        return found
