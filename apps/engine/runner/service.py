"""The runner: takes batches of events, starts runs, matches pauses, records what it decided."""

import asyncio
import logging
from collections.abc import Sequence

import msgspec

from apps.engine import clock, crashpoints
from apps.engine.flow.policy import DEFAULT_POLICY, FlowPolicy
from apps.engine.keys import RUNNER_GROUP, Keys
from apps.engine.lifecycle import RunEnder
from apps.engine.new_run import NewRun
from apps.engine.records import AnyRecord, EventHandled, RunScheduled, encode_records
from apps.engine.runner.incoming import Incoming
from apps.engine.runner.intake import Intake
from apps.engine.runner.invocations import failed_invoke_event
from apps.engine.runner.ownership import Ownership
from apps.engine.runner.pauses import PauseMatcher, PauseOutcome, path_requests
from apps.engine.runner.scheduling import plan_run
from apps.engine.runner.triggering import Triggering
from apps.engine.runner.verdicts import note_verdict, refusal, superseded_invoke
from apps.engine.scheduler import RunScheduler
from apps.engine.services import wait_for
from apps.engine.store.client import Argument, RedisError, RedisUnavailable, Reply
from apps.engine.store.functions import FunctionCache
from apps.engine.store.queue import Queue

logger = logging.getLogger(__name__)


class Runner:
    name = "runner"

    def __init__(
        self, queue: Queue, functions: FunctionCache, keys: Keys, policy: FlowPolicy = DEFAULT_POLICY
    ) -> None:
        self._queue = queue
        self._reader = queue.client.clone()
        self._functions = functions
        self._keys = keys
        self._triggering = Triggering(functions)
        ender = RunEnder(queue, functions)
        self._scheduler = RunScheduler(queue, ender)
        self._pauses = PauseMatcher(queue, ender)
        self._policy = policy
        self._ownership = Ownership(queue.client, f"{keys.prefix}:owner:runner")

    async def run(self, stop: asyncio.Event) -> None:
        while not await self._ownership.acquire():
            if await wait_for(stop, 0.5):
                return
        intake = Intake(self._queue.client, self._reader, self._keys, self._functions, self._ownership)
        keeping = asyncio.ensure_future(self._ownership.keep(stop))
        try:
            await self._make_group()
            await self._functions.refresh()
            await self._drain(intake, stop)
        finally:
            keeping.cancel()
            await self._reader.close()
            await self._ownership.release()

    async def _make_group(self) -> None:
        try:
            await self._queue.client.execute(
                "XGROUP", "CREATE", self._keys.events, RUNNER_GROUP, "0", "MKSTREAM"
            )
        except RedisError as exc:
            if "BUSYGROUP" not in str(exc):
                raise

    async def _drain(self, intake: Intake, stop: asyncio.Event) -> None:
        """Handle what is read ahead until `stop` or until the lease is lost; what is left stays pending."""
        reading = asyncio.ensure_future(intake.read(stop))
        aside = asyncio.ensure_future(self._drain_aside(intake, reading, stop))
        work_ahead = 0  # of that run of the last batch which has the least before it
        try:
            while self._goes_on(reading, stop):
                batch, is_repeat = await intake.take(work_ahead)
                if aside.done():  # what it could not handle must not be overtaken
                    break
                if batch:
                    work_ahead = await self.handle(
                        batch, is_repeat=is_repeat, functions=intake.functions_version
                    )
        finally:
            reading.cancel()
            await asyncio.gather(reading, aside, return_exceptions=True)
        for task in (reading, aside):
            if not task.cancelled():
                task.result()

    async def _drain_aside(self, intake: Intake, reading: "asyncio.Task[None]", stop: asyncio.Event) -> None:
        try:
            while self._goes_on(reading, stop):
                batch = await intake.take_aside()
                if batch:
                    await self.handle(batch, functions=intake.functions_version)
                intake.done_aside()
        finally:
            intake.close_aside()

    def _goes_on(self, reading: "asyncio.Task[None]", stop: asyncio.Event) -> bool:
        return not reading.done() and not stop.is_set() and self._ownership.is_held

    async def handle(
        self, batch: list[Incoming], *, is_repeat: bool = False, functions: int | None = None
    ) -> int:
        """Start and resume everything that a batch calls for, then acknowledge it.

        Returns how many items that run of it which has the least before it has before it.

        Every effect is idempotent by (entry, function), so a crash anywhere repeats it harmlessly, and a
        batch that fails is repeated entry by entry: one that cannot be handled must not stop the others.
        `is_repeat`: an earlier try may have had effects already, which belong to the outcome too.
        `functions`: their version, to be asked for where it is None.
        """
        await self._functions.refresh(functions)
        try:
            return await self._handle(batch, is_repeat)
        except RedisUnavailable:
            raise
        except Exception as exc:
            if len(batch) > 1:
                for incoming in batch:
                    await self.handle([incoming], is_repeat=True)
            else:
                await self._give_up(batch[0], exc)
            return 0

    async def _give_up(self, incoming: Incoming, exc: Exception) -> None:
        logger.error("event %s cannot be handled", incoming.entry.internal_id, exc_info=exc)
        record = _blank(incoming)
        record.failed.append(("", f"the event could not be handled: {type(exc).__name__}"))
        await self._conclude([incoming], [record])

    async def _handle(self, batch: list[Incoming], is_repeat: bool) -> int:
        handled = {incoming.stream_id: _blank(incoming) for incoming in batch}
        # What was held back has met the pauses when it came.
        fresh = [incoming for incoming in batch if not incoming.entry.context.is_held_back]
        skipped, paths, work_ahead = await self._schedule(batch, handled, path_requests(fresh, self._keys))
        earlier = await self._pauses.remembered(fresh) if is_repeat else {}
        outcomes = await self._pauses.match(fresh, paths)
        for stream_id, record in handled.items():
            _add_pauses(record, earlier.get(stream_id))
            _add_pauses(record, outcomes.get(stream_id))
        crashpoints.reach("before_ack")
        records = [part for incoming in batch for part in _parts(incoming, handled[incoming.stream_id])]
        await self._conclude(batch, [*skipped, *records])
        return work_ahead

    async def _conclude(self, batch: Sequence[Incoming], records: Sequence[AnyRecord]) -> None:
        """Record and acknowledge at once: an entry that comes again must not have its outcome already."""
        entries = [incoming.stream_id for incoming in batch]
        await self._queue.library.call("acknowledge", RUNNER_GROUP, encode_records(records), *entries)

    async def _schedule(
        self, batch: list[Incoming], handled: dict[str, EventHandled], then: Sequence[Sequence[Argument]]
    ) -> tuple[list[RunScheduled], list[Reply], int]:
        """Schedule what the events start; returns the runs that are skipped, the replies to `then`, and the
        least number of items that one of the runs has before it."""
        planned: list[tuple[Incoming, NewRun]] = []
        now = clock.now_ms()
        for incoming in batch:
            record = handled[incoming.stream_id]
            for spec in self._triggering.functions_for(incoming, record.failed):
                planned.append((incoming, plan_run(spec, incoming, now, self._policy)))
            if self._triggering.lacks_target(incoming):
                await self._refuse(incoming, record)
        verdicts, replies = await self._scheduler.schedule([run for _, run in planned], now, then)
        ahead = (verdict.work_ahead for verdict in verdicts if verdict.work_ahead is not None)
        skipped: list[RunScheduled] = []
        for (incoming, run), verdict in zip(planned, verdicts, strict=True):
            if run_skipped := note_verdict(handled[incoming.stream_id], run, verdict):
                skipped.append(run_skipped)
            await self._tell_invokers(incoming, refusal(verdict))
            correlation_id, message = superseded_invoke(verdict)
            await self._tell(incoming, correlation_id, message)
        return skipped, replies, min(ahead, default=0)

    async def _refuse(self, incoming: Incoming, record: EventHandled) -> None:
        function_id = incoming.entry.context.function_id
        record.skipped.append((function_id, "FunctionNotFound", ""))
        message = f"could not find function with ID: {function_id}"
        await self._tell_invokers(
            incoming, message if function_id else "could not extract function ID from event"
        )

    async def _tell_invokers(self, incoming: Incoming, message: str) -> None:
        """Let the steps that invoked a function which does not run fail with `message`."""
        if message:
            for correlation_id in incoming.correlation_ids:
                await self._tell(incoming, correlation_id, message)

    async def _tell(self, incoming: Incoming, correlation_id: str, message: str) -> None:
        if correlation_id:
            event = failed_invoke_event(incoming, correlation_id, message, clock.now_ms())
            await self._queue.client.execute("XADD", self._keys.events, "*", *event)


def _blank(incoming: Incoming) -> EventHandled:
    entry = incoming.entry
    return EventHandled(entry.env_id, entry.internal_id, incoming.stream_id, clock.now_ms())


def _parts(incoming: Incoming, record: EventHandled) -> list[EventHandled]:
    """The outcome for each event of the entry, under a key of its own."""
    if not incoming.is_batch:
        return [record]
    return [
        msgspec.structs.replace(record, event_id=event_id, stream_id=f"{record.stream_id}.{number}")
        for number, event_id in enumerate(incoming.event_ids)
    ]


def _add_pauses(record: EventHandled, outcome: PauseOutcome | None) -> None:
    if outcome is not None:
        record.resumed.extend(outcome.resumed)
        record.cancelled.extend(outcome.cancelled)
