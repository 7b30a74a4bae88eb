"""Pages of runs that have not ended: those that the queue has lost are put back."""

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from apps.engine import clock
from apps.engine.engine import Engine
from apps.engine.flow.policy import FlowPolicy
from apps.engine.protocol.errors import engine_error
from apps.engine.records import RunEnded, encode_records
from apps.runs.models import Run
from apps.runs.recovery.drained import wait_until_drained
from apps.runs.recovery.reading import Facts, History, chunks, has_ended
from apps.runs.recovery.restoration import Restorer, Unrestorable
from apps.runs.recovery.thread import DatabaseThread

logger = logging.getLogger(__name__)

# Runs with all of their payloads in memory at a time.
_AT_ONCE = 20


@dataclass(slots=True)
class Restored:
    """How many runs were live, were put back, and could not be and were ended as failed."""

    live: int = 0
    restored: int = 0
    failed: int = 0


class RunRestorer:
    def __init__(self, engine: Engine, history: History, thread: DatabaseThread, policy: FlowPolicy) -> None:
        self._engine = engine
        self._history = history
        self._thread = thread
        self._policy = policy

    async def page(
        self, environment_id: uuid.UUID, runs: Sequence[Run], *, dry_run: bool = False
    ) -> Restored:
        """Put back what is not live of a page. Raises HistoryBehind."""
        lost = await self._lost(runs)
        found = Restored(live=len(runs) - len(lost))
        if not lost:
            return found
        await wait_until_drained(self._engine.client, self._engine.keys)
        now_lost = await self._thread.read(lambda: self._still_unfinished(environment_id, lost))
        if dry_run:
            found.restored = len(now_lost)
            return found
        for some in chunks([run.run_id for run in now_lost], _AT_ONCE):
            await self._restore(environment_id, [run for run in now_lost if run.run_id in some], found)
        return found

    async def _lost(self, runs: Sequence[Run]) -> list[Run]:
        prefix = self._engine.keys.prefix
        replies = await self._engine.client.pipeline(
            [("EXISTS", f"{prefix}:run:{run.run_id}") for run in runs]
        )
        return [run for run, exists in zip(runs, replies, strict=True) if not exists]

    def _still_unfinished(self, environment_id: uuid.UUID, runs: Sequence[Run]) -> list[Run]:
        """History has caught up since the page was read."""
        current = self._history.runs(environment_id, [run.run_id for run in runs])
        return [run for run in current.values() if not has_ended(run)]

    async def _restore(self, environment_id: uuid.UUID, runs: Sequence[Run], found: Restored) -> None:
        facts, restorer = await self._thread.read(lambda: self._read(environment_id, runs))
        for of_run in facts:
            spec = self._engine.functions.get(str(of_run.run.function_id))
            try:
                restored = restorer.restore(of_run, spec)
            except Unrestorable as problem:
                await self._declare_lost(of_run.run, str(problem))
                found.failed += 1
                continue
            arguments = restored.arguments(clock.now_ms())
            if await self._engine.queue.library.call("restore", *arguments):
                found.restored += 1
            else:
                found.live += 1

    def _read(self, environment_id: uuid.UUID, runs: Sequence[Run]) -> tuple[list[Facts], Restorer]:
        facts = self._history.facts(environment_id, runs)
        invoked = [
            str(attempt.info_fields().get("triggering_event_id", ""))
            for of_run in facts
            for attempt in of_run.attempts
            if attempt.op == "InvokeFunction" and not attempt.has_ended
        ]
        children = self._history.children(environment_id, invoked) if invoked else {}
        sent = self._history.known_events(environment_id, invoked) if invoked else set()
        return facts, Restorer(self._policy, clock.now_ms(), children, sent)

    async def _declare_lost(self, run: Run, problem: str) -> None:
        """A run that nothing can bring back does not stay Running for ever (spec 02, 5.9)."""
        logger.error("run %s is lost: %s", run.run_id, problem)
        error = engine_error("StateLost", f"The queue lost this run, and it cannot be restored: {problem}.")
        record = RunEnded(run.run_id, "Failed", clock.now_ms(), error, started_at=run.started_at or 0)
        await self._engine.client.execute(
            "XADD", self._engine.keys.history, "*", "d", encode_records([record])
        )
