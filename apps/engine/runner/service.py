"""The runner: takes batches of events, starts runs, matches pauses, records what it decided."""

import asyncio
import logging
from collections.abc import Sequence

from apps.engine import clock, crashpoints
from apps.engine.keys import RUNNER_GROUP, Keys
from apps.engine.lifecycle import RunEnder
from apps.engine.new_run import NewRun
from apps.engine.records import EventHandled, encode_records
from apps.engine.runner.incoming import Incoming
from apps.engine.runner.intake import Intake
from apps.engine.runner.invocations import failed_invoke_event
from apps.engine.runner.ownership import Ownership
from apps.engine.runner.pauses import PauseMatcher, PauseOutcome
from apps.engine.runner.scheduling import plan_run
from apps.engine.runner.triggering import Triggering
from apps.engine.services import wait_for
from apps.engine.store.client import RedisError, RedisUnavailable
from apps.engine.store.functions import FunctionCache
from apps.engine.store.queue import Queue

logger = logging.getLogger(__name__)


class Runner:
    name = "runner"

    def __init__(self, queue: Queue, functions: FunctionCache, keys: Keys) -> None:
        self._queue = queue
        self._reader = queue.client.clone()
        self._functions = functions
        self._keys = keys
        self._triggering = Triggering(functions)
        self._pauses = PauseMatcher(queue, RunEnder(queue, functions))
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
        try:
            while not reading.done() and not stop.is_set() and self._ownership.is_held:
                batch, is_repeat = await intake.take()
                if batch:
                    await self.handle(batch, is_repeat=is_repeat)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        if not reading.cancelled():
            reading.result()

    async def handle(self, batch: list[Incoming], *, is_repeat: bool = False) -> None:
        """Start and resume everything that a batch calls for, then acknowledge it.

        Every effect is idempotent by (entry, function), so a crash anywhere repeats it harmlessly, and a
        batch that fails is repeated entry by entry: one that cannot be handled must not stop the others.
        `is_repeat`: an earlier try may have had effects already, which belong to the outcome too.
        """
        try:
            await self._handle(batch, is_repeat)
        except RedisUnavailable:
            raise
        except Exception as exc:
            if len(batch) > 1:
                for incoming in batch:
                    await self.handle([incoming], is_repeat=True)
            else:
                await self._give_up(batch[0], exc)

    async def _give_up(self, incoming: Incoming, exc: Exception) -> None:
        logger.error("event %s cannot be handled", incoming.entry.internal_id, exc_info=exc)
        record = _blank(incoming)
        record.failed.append(("", f"the event could not be handled: {type(exc).__name__}"))
        await self._conclude([record])

    async def _handle(self, batch: list[Incoming], is_repeat: bool) -> None:
        await self._functions.refresh()
        handled = {incoming.stream_id: _blank(incoming) for incoming in batch}
        await self._schedule(batch, handled)
        earlier = await self._pauses.remembered(batch) if is_repeat else {}
        outcomes = await self._pauses.match(batch)
        for stream_id, record in handled.items():
            _add_pauses(record, earlier.get(stream_id))
            _add_pauses(record, outcomes.get(stream_id))
        crashpoints.reach("before_ack")
        await self._conclude(list(handled.values()))

    async def _conclude(self, records: Sequence[EventHandled]) -> None:
        """Record and acknowledge at once: an entry that comes again must not have its outcome already."""
        entries = [record.stream_id for record in records]
        await self._queue.library.call("acknowledge", RUNNER_GROUP, encode_records(records), *entries)

    async def _schedule(self, batch: list[Incoming], handled: dict[str, EventHandled]) -> None:
        planned: list[tuple[Incoming, NewRun]] = []
        now = clock.now_ms()
        for incoming in batch:
            record = handled[incoming.stream_id]
            for spec in self._triggering.functions_for(incoming, record.failed):
                planned.append((incoming, plan_run(spec, incoming, now, record.failed)))
            if self._triggering.lacks_target(incoming):
                await self._refuse(incoming, record)
        calls = [run.arguments(now) for _, run in planned]
        replies = await self._queue.library.call_each("schedule", calls)
        for (incoming, run), (outcome, run_id) in zip(planned, replies, strict=True):
            record = handled[incoming.stream_id]
            if refusal := _note(record, run.spec.id, outcome.decode(), run_id.decode()):
                await self._tell_invoker(incoming, refusal)

    async def _refuse(self, incoming: Incoming, record: EventHandled) -> None:
        function_id = incoming.entry.context.function_id
        record.skipped.append((function_id, "FunctionNotFound", ""))
        message = f"could not find function with ID: {function_id}"
        await self._tell_invoker(
            incoming, message if function_id else "could not extract function ID from event"
        )

    async def _tell_invoker(self, incoming: Incoming, message: str) -> None:
        """Let the step that invoked a function which does not run fail with `message`."""
        event = failed_invoke_event(incoming, message, clock.now_ms())
        if event is not None:
            await self._queue.client.execute("XADD", self._keys.events, "*", *event)


def _note(record: EventHandled, function_id: str, outcome: str, run_id: str) -> str:
    """Record what became of a match; what an invoker has to be told where no run did."""
    if outcome == "duplicate":
        record.skipped.append((function_id, "Duplicate", run_id))
        return "invoked function was skipped: duplicate event"
    if outcome == "limited":
        record.skipped.append((function_id, "RateLimited", ""))
        return "invoked function is rate limited"
    record.run_ids.append(run_id)
    return ""


def _blank(incoming: Incoming) -> EventHandled:
    entry = incoming.entry
    return EventHandled(entry.env_id, entry.internal_id, incoming.stream_id, clock.now_ms())


def _add_pauses(record: EventHandled, outcome: PauseOutcome | None) -> None:
    if outcome is not None:
        record.resumed.extend(outcome.resumed)
        record.cancelled.extend(outcome.cancelled)
