"""Scheduling runs: the one Lua call for each, and what its verdict asks for (spec 02, 1.4 and 1.5)."""

from collections.abc import Sequence
from typing import NamedTuple

from apps.engine.lifecycle import RunEnder
from apps.engine.new_run import NewRun
from apps.engine.store.client import Argument, Reply
from apps.engine.store.queue import Queue

# Verdict of the Lua library -> reason of the skipped run.
SKIPS = {
    "singleton": "Singleton",
    "paused": "FunctionPaused",
    "drained": "FunctionDrained",
    "archived": "environment_archived",
}

# Runs that take the lock between two of our calls cannot be many: one runner schedules for a shard.
_MOST_HOLDERS = 20


class Verdict(NamedTuple):
    """See `schedule` in 50_schedule.lua."""

    outcome: str
    run_id: str
    detail: str

    @property
    def work_ahead(self) -> int | None:
        """How many items are in the queue of a run that was created; None where there is none."""
        return int(self.detail) if self.outcome == "created" else None

    @property
    def skip_reason(self) -> str:
        return SKIPS.get(self.outcome, "")


class RunScheduler:
    def __init__(self, queue: Queue, ender: RunEnder) -> None:
        self._queue = queue
        self._ender = ender

    async def schedule(
        self, runs: Sequence[NewRun], now: int, then: Sequence[Sequence[Argument]] = ()
    ) -> tuple[list[Verdict], list[Reply]]:
        """Schedule the runs, in their order. What holds the lock of a singleton in mode cancel is ended.

        `then` are commands whose replies are returned too; they are carried out when all runs are scheduled.
        """
        arguments = [run.arguments(now) for run in runs]
        replies = await self._queue.library.call_each("schedule", arguments, then)
        verdicts = [_parse(reply) for reply in replies[: len(runs)]]
        holders = [index for index, verdict in enumerate(verdicts) if verdict.outcome == "holder"]
        for index in holders:
            verdicts[index] = await self._supersede(runs[index], verdicts[index], now)
        if holders:
            return verdicts, await self._queue.client.pipeline(then)
        return verdicts, replies[len(runs) :]

    async def _supersede(self, run: NewRun, verdict: Verdict, now: int) -> Verdict:
        for _ in range(_MOST_HOLDERS):
            if not await self._ender.cancel(verdict.detail, f"superseded by run {run.run_id}"):
                await self._drop_dead_lock(run, verdict.detail)
            verdict = _parse(await self._queue.library.call("schedule", *run.arguments(now)))
            if verdict.outcome != "holder":
                return verdict
        return Verdict("singleton", "", verdict.detail)

    async def _drop_dead_lock(self, run: NewRun, holder: str) -> None:
        """A lock whose run has ended without it, which no run can take otherwise."""
        lock = run.flow.lock if run.flow else ""
        await self._queue.library.call("drop_lock", lock, holder)


def _parse(reply: Reply) -> Verdict:
    outcome, run_id, detail = reply
    return Verdict(outcome.decode(), run_id.decode(), detail.decode())
