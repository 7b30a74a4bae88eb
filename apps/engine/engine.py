"""The engine's face to the rest of the platform: what pages, APIs and services may ask of it."""

import asyncio
from collections.abc import Sequence

import msgspec

from apps.engine import clock, control
from apps.engine.cancel_rules import cancel_pauses
from apps.engine.control import LiveRun
from apps.engine.environments import EnvironmentShare
from apps.engine.event_stream import EventEntry, entry_fields
from apps.engine.expressions import Program
from apps.engine.flow import admission
from apps.engine.flow.admission import Flow
from apps.engine.flow.keys import KeyReader
from apps.engine.flow.policy import DEFAULT_POLICY, FlowPolicy
from apps.engine.forgetting import Forgetter
from apps.engine.functions import FunctionSpec
from apps.engine.inspection import KEYS_PER_PAGE, Inspector
from apps.engine.keys import Keys
from apps.engine.lifecycle import RunEnder
from apps.engine.new_run import NewRun
from apps.engine.protocol import ids, memos
from apps.engine.queue_views import AccountQueue, FunctionQueue, ShardQueue
from apps.engine.records import StepRecorded, encode_records
from apps.engine.scheduler import RunScheduler
from apps.engine.store.client import Argument, RedisClient
from apps.engine.store.functions import FunctionCache, FunctionStore
from apps.engine.store.queue import Queue
from apps.engine.store.requests import RerunRequest
from apps.engine.store.views import RunMeta

# A waiter that is replaced or times out between look and hand-over leaves the signal to its successor.
_SIGNAL_TRIES = 3
# Each of them reads its run's state, which may be some megabytes large.
_CANCELS_AT_ONCE = 10


class UnknownFunction(Exception):
    """The function is not registered, or archived."""


class Engine:
    """One shard, over one connection; belongs to the event loop that made it."""

    def __init__(self, client: RedisClient, shard: str, policy: FlowPolicy = DEFAULT_POLICY) -> None:
        self.client = client
        self.shard = shard
        self.keys = Keys(shard)
        self.queue = Queue(client, self.keys.prefix)
        self.functions = FunctionCache(client, self.keys)
        self._store = FunctionStore(client, self.keys, policy)
        self._policy = policy
        self._ender = RunEnder(self.queue, self.functions)
        self._scheduler = RunScheduler(self.queue, self._ender)
        self._forgetter = Forgetter(client, self.keys, self.queue.library)
        self._inspector = Inspector(client, shard, self.keys, self.functions)

    @classmethod
    async def connect(cls, url: str, shard: str, policy: FlowPolicy = DEFAULT_POLICY) -> "Engine":
        return cls(await RedisClient.connect(url), shard, policy)

    async def publish_functions(self, specs: Sequence[FunctionSpec]) -> None:
        """Make the given specs current, and stop the triggers and crons of archived ones. Idempotent."""
        await self._store.publish(specs)

    async def restore_functions(self, specs: Sequence[FunctionSpec]) -> None:
        """Publish what the database says, whatever was published before."""
        await self._store.publish(specs, is_restore=True)

    async def configure_account(self, account_id: str, limit: int | None, weight: int) -> None:
        """Set the limit of concurrent steps, None for the default, and the weight. Idempotent."""
        own = self._policy.account_concurrency if limit is None else limit
        await self.queue.library.call(
            "configure_account", account_id, own, "" if limit is None else "1", weight
        )

    async def configure_environments(self, shares: Sequence[EnvironmentShare]) -> None:
        """Set what environments may use, and whether they are archived. Idempotent."""
        await self.queue.library.call_each(
            "configure_environment",
            [(share.env_id, share.account_id, share.weight, int(share.is_archived)) for share in shares],
        )

    async def forget_environment(self, env_id: str) -> int:
        """Erase an archived environment from the queue, its live runs too; how many functions it had."""
        return await self._forgetter.forget_environment(env_id, self.functions)

    async def forget_account(self, account_id: str) -> None:
        """Erase an account whose environments have been forgotten."""
        await self._forgetter.forget_account(account_id)

    async def append_events(self, entries: Sequence[EventEntry]) -> None:
        """Accept events; they are durable once this returns."""
        commands = [("XADD", self.keys.events, "*", *entry_fields(entry)) for entry in entries]
        await self.client.pipeline(commands)

    async def cancel_run(self, env_id: str, run_id: str, reason: str) -> bool:
        """End a live run as cancelled; False where it is unknown, ended, or of another environment."""
        await self.functions.refresh()
        return await self._ender.cancel(run_id, reason, env_id=env_id)

    async def cancel_runs(self, env_id: str, run_ids: Sequence[str], reason: str) -> list[bool]:
        """`cancel_run` for many, some at a time; the verdicts in their order."""
        await self.functions.refresh()
        verdicts: list[bool] = []
        for start in range(0, len(run_ids), _CANCELS_AT_ONCE):
            chunk = run_ids[start : start + _CANCELS_AT_ONCE]
            cancels = (self._ender.cancel(run_id, reason, env_id=env_id) for run_id in chunk)
            verdicts += await asyncio.gather(*cancels)
        return verdicts

    async def live_runs(
        self, env_id: str, function_id: str, after: LiveRun, until: int, limit: int
    ) -> list[LiveRun]:
        """The function's live runs after a position, oldest first, queued until `until` (ms).

        Fewer than `limit` only at the end; none for a function of another environment.
        """
        await self.functions.refresh()
        spec = self.functions.get(function_id)
        if spec is None or spec.env_id != env_id:
            return []
        return await control.live_runs(self.client, self.keys.prefix, function_id, after, until, limit)

    async def matching_runs(self, run_ids: Sequence[str], program: Program) -> list[str]:
        """Those of the live runs whose first event makes the expression true."""
        return await control.matching_runs(self.client, self.keys.prefix, run_ids, program)

    async def has_handled(self, moment: int) -> bool:
        """Whether all runs of the events that were accepted until `moment` (ms) have been started."""
        return await control.has_handled(self.client, self.keys, moment)

    async def requeue_run(self, env_id: str, run_id: str) -> int | None:
        """Let the run's retries that wait for their time come now; how many, None for an unknown run.

        Sleeps and a start in the future keep their time.
        """
        count = await self.queue.library.call("requeue", clock.now_ms(), run_id, env_id)
        return None if int(count) < 0 else int(count)

    async def inspect_function(
        self, env_id: str, function_id: str, *, cursor: str = "", limit: int = KEYS_PER_PAGE
    ) -> FunctionQueue | None:
        """What waits in the function, and for what, with up to `limit` of its key queues.

        None for a function of another environment. Raises InvalidCursor.
        """
        return await self._inspector.function(env_id, function_id, cursor=cursor, limit=limit)

    async def inspect_account(self, account_id: str) -> AccountQueue | None:
        """The account's share of the queue, in sum; None for one that the queue does not know."""
        return await self._inspector.account(account_id)

    async def inspect_shard(self) -> ShardQueue:
        return await self._inspector.shard()

    async def is_live(self, env_id: str, run_id: str) -> bool:
        """Whether the run exists in this environment and has not ended."""
        return await self.run_environment(run_id) == env_id

    async def run_environment(self, run_id: str) -> str | None:
        """Whose run it is, whoever asks; None once it has ended."""
        owner = await self.client.execute("HGET", f"{self.keys.prefix}:run:{run_id}", "e")
        return None if owner is None else str(owner.decode())

    async def rerun(self, request: RerunRequest) -> str:
        """Start a new run from an earlier one's events; returns its id. Raises UnknownFunction.

        Where a singleton, a pause or a drain stops it, the run is recorded as skipped (spec 02, 12.1).
        """
        await self.functions.refresh()
        spec = self.functions.find(request.env_id, request.function_id)
        if spec is None:
            raise UnknownFunction(request.function_id)
        now = clock.now_ms()
        run = _rerun(spec, request, ids.new_ulid(now), now, self._policy)
        [verdict], _ = await self._scheduler.schedule([run], now)
        if verdict.skip_reason:
            record = run.skipped(verdict.skip_reason, verdict.detail)
            await self.client.execute("XADD", self.keys.history, "*", "d", encode_records([record]))
        return run.run_id

    async def send_signal(self, env_id: str, signal: str, data: bytes) -> str | None:
        """Hand a signal to the run that waits for it; its id, or None where nobody waits."""
        for _ in range(_SIGNAL_TRIES):
            pause_id = await self.client.execute("GET", f"{self.keys.prefix}:sig:{env_id}:{signal}")
            if pause_id is None:
                return None
            if run_id := await self._resume_by_signal(pause_id.decode(), signal, data):
                return run_id
        return None

    async def _resume_by_signal(self, pause_id: str, signal: str, data: bytes) -> str | None:
        run_id, _, step_id = pause_id.partition(".")
        now = clock.now_ms()
        memo = memos.signal_memo(signal, data)
        record = StepRecorded(run_id, step_id, 0, "WaitForSignal", "Completed", ended_at=now, output=data)
        resumed = await self.queue.library.call("resume_pause", now, pause_id, memo, encode_records([record]))
        return resumed.decode() if resumed else None

    async def run_actions(self, run_id: str) -> bytes | None:
        """The memoised steps of a live run as one JSON object (spec 01, 6.6); None once it has ended."""
        state = await self.queue.state(run_id)
        if state is None:
            return None
        steps = {step: msgspec.Raw(memo) for step, memo in state.memos.items()}
        if state.input_step and state.input_step not in steps:
            steps[state.input_step] = msgspec.Raw(memos.input_memo(state.input))
        return msgspec.json.encode(steps)

    async def run_batch(self, run_id: str) -> bytes | None:
        """The events of a live run as a JSON array; None once it has ended."""
        raw: bytes | None = await self.client.execute("HGET", f"{self.keys.prefix}:run:{run_id}", "ev")
        return raw

    async def close(self) -> None:
        await self.client.close()


def _rerun(spec: FunctionSpec, request: RerunRequest, run_id: str, now: int, policy: FlowPolicy) -> NewRun:
    meta = RunMeta(
        slug=spec.slug,
        event_names=request.event_names,
        event_ids=request.event_ids,
        schedule_type="Rerun",
        original_run_id=request.original_run_id,
    )
    run = NewRun(
        run_id,
        spec,
        meta,
        b"[" + b",".join(request.events) + b"]",
        queued_at=now,
        due=now,
        target_step=request.target_step,
        target_input=request.target_input,
        cancels=_rerun_cancels(spec, request, run_id, now),
        memos=request.memos,
    )
    if admission.needs_flow(spec):
        reader = KeyReader(lambda: msgspec.json.decode(request.events[0]))
        run.flow = Flow()
        run.priority_ms = admission.plan_queueing(run.flow, spec, reader, policy)
        run.problems = reader.problems
    return run


def _rerun_cancels(spec: FunctionSpec, request: RerunRequest, run_id: str, now: int) -> list[Argument]:
    """A run of a batch has no cancel rules (spec 02, 1.4)."""
    if not spec.cancel or len(request.events) != 1:
        return [0]
    return cancel_pauses(spec, run_id, msgspec.json.decode(request.events[0]), "", now)
