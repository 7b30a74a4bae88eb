"""The whole queue from the database: runs that have not ended, their waits and timers, idempotency keys, and
events that nobody has handled. On a queue that is whole it changes nothing.
"""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, fields

from apps.engine import clock
from apps.engine.engine import Engine
from apps.engine.event_stream import parse_context
from apps.engine.flow.policy import FlowPolicy
from apps.engine.runner.scheduling import idempotency_key
from apps.engine.runner.service import Runner
from apps.engine.store.client import Argument
from apps.engine.store.functions import FunctionCache
from apps.events.models import Event
from apps.runs.choices import RunStatus
from apps.runs.models import Run
from apps.runs.recovery.drained import wait_until_drained
from apps.runs.recovery.handing_over import absent_from_stream, hand_over
from apps.runs.recovery.held_back import HeldBack
from apps.runs.recovery.reading import UNFINISHED, History
from apps.runs.recovery.restoring import RunRestorer
from apps.runs.recovery.thread import DatabaseThread

DAY_MS = 86_400_000
_PAGE = 500
_EVENTS_AT_ONCE = 100
_FOR_EVER = 2**62


@dataclass(slots=True)
class Report:
    """`live` runs were there already; `failed` ones could not be restored; `keys` are idempotency keys."""

    live: int = 0
    restored: int = 0
    failed: int = 0
    events: int = 0
    keys: int = 0

    def __str__(self) -> str:
        return ", ".join(f"{part.name} {getattr(self, part.name)}" for part in fields(self))


class Rebuilder:
    """The functions must have been published."""

    def __init__(self, engine: Engine, history: History, thread: DatabaseThread, policy: FlowPolicy) -> None:
        self._engine = engine
        self._history = history
        self._thread = thread
        self._restorer = RunRestorer(engine, history, thread, policy)
        functions = FunctionCache(engine.client, engine.keys)
        self._runner = Runner(engine.queue, functions, engine.keys, policy)
        self._held_back = HeldBack(engine, history, thread, self._runner)

    async def rebuild(self, *, dry_run: bool = False, was_emptied: bool = False) -> Report:
        """Idempotent. Raises HistoryBehind, RedisUnavailable and errors of the database.

        `was_emptied`: Redis has lost everything, so that nothing is held back there any more.
        """
        await self._engine.functions.refresh()
        report = Report()
        for environment_id in await self._thread.read(self._history.environments):
            # First, so that what is sent again meanwhile is known to be a repetition.
            await self._restore_keys(environment_id, report, dry_run=dry_run)
        for environment_id in await self._thread.read(self._history.environments):
            async for page in self._unfinished(environment_id):
                found = await self._restorer.page(environment_id, page, dry_run=dry_run)
                report.live += found.live
                report.restored += found.restored
                report.failed += found.failed
        if was_emptied and not dry_run:
            report.events += await self._held_back.restore()
        await self._hand_over_events(report, dry_run=dry_run)
        return report

    async def _unfinished(self, environment_id: uuid.UUID) -> AsyncIterator[list[Run]]:
        for status in UNFINISHED:
            after = (0, "")
            while page := await self._thread.read(
                lambda status=status, after=after: self._history.unfinished(  # type: ignore[misc]
                    environment_id, status, after, _PAGE, _FOR_EVER
                )
            ):
                after = (page[-1].queued_at, page[-1].run_id)
                yield page

    async def _restore_keys(self, environment_id: uuid.UUID, report: Report, *, dry_run: bool) -> None:
        now = clock.now_ms()
        after = (now - DAY_MS, "")
        while page := await self._thread.read(
            lambda after=after: self._history.recent_runs(environment_id, after, _PAGE)  # type: ignore[misc]
        ):
            last = page[-1][0]
            after = (last.queued_at, last.run_id)
            commands = [command for run, event in page if (command := self._key_command(run, event, now))]
            report.keys += len(commands)
            if not dry_run:
                await self._engine.client.pipeline(commands)

    def _key_command(self, run: Run, event: Event | None, now: int) -> list[Argument] | None:
        if event is None or run.status == RunStatus.SKIPPED or run.schedule_type not in _KEYED:
            return None
        key = idempotency_key(str(run.function_id), parse_context(event.context), event.external_id)
        left = run.queued_at + DAY_MS - now
        if not key or left <= 0:
            return None
        return ["SET", f"{self._engine.keys.prefix}:idem:{key}", run.run_id, "NX", "PX", left]

    async def _hand_over_events(self, report: Report, *, dry_run: bool) -> None:
        """Only of the day before the last event: older ones have been handled or given up long ago."""
        since = await self._thread.read(self._history.newest_event_at) - DAY_MS
        after = ""
        while page := await self._thread.read(
            lambda after=after: self._history.unhandled_events(since, after, _EVENTS_AT_ONCE)  # type: ignore[misc]
        ):
            after = page[-1].key
            absent = await absent_from_stream(self._engine.client, self._engine.keys, page)
            if absent:
                await wait_until_drained(self._engine.client, self._engine.keys)
                report.events += await self._hand_over(absent, dry_run=dry_run)

    async def _hand_over(self, absent: list[Event], *, dry_run: bool) -> int:
        events = await self._thread.read(lambda: self._history.unhandled_of(absent))
        if dry_run or not events:
            return len(events)
        keys = [event.key for event in events]
        known = await self._thread.read(lambda: self._history.events_with_bodies(keys))
        ids = [event.internal_id for event in events]
        runs = await self._thread.read(lambda: self._history.runs_of_events(ids))
        await hand_over(self._engine.client, self._engine.keys, self._runner, known, runs)
        return len(known)


# Schedule types of runs that hold an idempotency key.
_KEYED = frozenset({"Event", "Cron", "Invoke"})
