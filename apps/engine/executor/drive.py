"""Drives one leased item: call the app, commit the answer, go on with the run while it may."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar

import msgspec

from apps.engine import clock, crashpoints, log_context
from apps.engine.calls.app_client import AppClient
from apps.engine.calls.failures import TransportFailed
from apps.engine.executor.answer import apply_answer
from apps.engine.executor.commit_builder import CommitBuilder, Dispatch
from apps.engine.executor.deferrals import aborted_deferral
from apps.engine.executor.history import HistoryBuffer
from apps.engine.executor.server_steps import ServerStepRunner
from apps.engine.executor.tracker import Tracker
from apps.engine.functions import FunctionSpec
from apps.engine.protocol import errors, ids, jcs, memos, requests, signing
from apps.engine.protocol.opcodes import COMPLETE_OPS, ERROR_OPS, LAZY_OPS
from apps.engine.protocol.responses import Answer, Failed, Ops, classify, failed_call
from apps.engine.records import RunStarted
from apps.engine.store.client import RedisUnavailable
from apps.engine.store.functions import FunctionCache
from apps.engine.store.queue import Commit, CommitResult, Leased, Queue
from apps.engine.store.views import Item, RunState
from apps.engine.telemetry import count_call

logger = logging.getLogger(__name__)

T = TypeVar("T")

# From the id of an environment to the key that signs there.
SigningKeyOf: TypeAlias = Callable[[str], Awaitable[str]]

MAX_CONTINUATIONS = 10
_LONGEST_FAULT_DELAY_MS = 60_000
_UNKNOWN_FUNCTION_DELAY_MS = 5_000
_COMMIT_TRIES = 40
_COMMIT_PAUSE_SECONDS = 0.25


class Driver:
    """What a worker's items share. `signing_key` tells, by environment id, what its requests are signed with:
    nothing where that is empty."""

    def __init__(
        self,
        queue: Queue,
        functions: FunctionCache,
        client: AppClient,
        history: HistoryBuffer,
        server_steps: ServerStepRunner,
        *,
        shard: str,
        signing_key: SigningKeyOf,
    ) -> None:
        self._queue = queue
        self._functions = functions
        self._client = client
        self._history = history
        self._server_steps = server_steps
        self._shard = shard
        self._signing_key = signing_key

    async def close(self) -> None:
        await self._client.close()

    async def drive(self, leased: Leased, track: Tracker) -> None:
        """Work on a lease and on those that follow from it. `track` learns of each item held."""
        item, state = leased
        log_context.begin(environment_id=item.env_id, function_id=item.function_id, run_id=item.run_id)
        for remaining in range(MAX_CONTINUATIONS, -1, -1):
            track.hold(item)
            try:
                result, builder = await self._step(item, state, may_continue=remaining > 0)
            finally:
                track.release(item)
            if result.next_item is None:
                return
            following = await self._following_state(state, builder, result)
            if following is None:
                await self._give_slot_back(result.next_item)
                return
            item, state = result.next_item, following

    async def _give_slot_back(self, item: Item) -> None:
        """The run ended before its next item was begun: committing says so and frees the slot."""
        await self._queue.commit(Commit(item=item, operations=[]))

    async def _step(
        self, item: Item, state: RunState, *, may_continue: bool
    ) -> tuple[CommitResult, CommitBuilder]:
        crashpoints.reach("after_lease")
        spec = self._functions.get(item.function_id)
        started_at = clock.now_ms()
        if spec is None:
            return await self._wait_for_function(item, state, started_at)
        await self._note_start(item, state, spec)
        builder, version = await self._dispatch(item, state, spec, started_at)
        crashpoints.reach("before_commit")
        result = await self._commit(builder, version, may_continue=may_continue)
        crashpoints.reach("after_commit")
        return result, builder

    async def _dispatch(
        self, item: Item, state: RunState, spec: FunctionSpec, started_at: int
    ) -> tuple[CommitBuilder, int | None]:
        """Carry the item out: what its answer does, and the request version that came with it."""
        try:
            if item.kind == "gateway":
                return await self._server_steps.run(item, state, spec, started_at), None
            if item.attempt >= spec.max_attempts:
                return _out_of_attempts(item, state, spec, started_at), None
            status, answer = await self._call(item, state, spec)
            if _concerns_checkpoints(answer):
                item = await self._after_checkpoints(item, state)
            builder = CommitBuilder(item, state, spec, Dispatch(started_at, clock.now_ms(), status))
            apply_answer(builder, answer)
        except Exception:
            logger.exception("item %s of run %s failed in the engine, trying again", item.id, item.run_id)
            return self._again(item, state, spec, started_at), None
        return builder, answer.req_version if isinstance(answer, Ops) else None

    def _again(self, item: Item, state: RunState, spec: FunctionSpec, started_at: int) -> CommitBuilder:
        """A fault of our own costs the user no attempt (spec 02, 6.9): try again, ever more slowly."""
        builder = CommitBuilder(item, state, spec, Dispatch(started_at, clock.now_ms()))
        delay_ms = min(_LONGEST_FAULT_DELAY_MS, 500 << min(item.generation, 10))
        builder.retry(builder.now + delay_ms, counts=False)
        return builder

    async def _after_checkpoints(self, item: Item, state: RunState) -> Item:
        """What checkpoints of the request may have changed since the lease: deferrals, and the attempts."""
        state.defers = await _patiently(lambda: self._queue.deferrals(item.run_id))
        if item.attempt == 0:
            return item
        attempt = await _patiently(lambda: self._queue.attempt(item.id))
        return item if attempt is None else item._replace(attempt=attempt)

    async def _note_start(self, item: Item, state: RunState, spec: FunctionSpec) -> None:
        if item.kind != "start" or item.attempt > 0:
            return
        self._history.add(RunStarted(item.run_id, state.started_at))
        if spec.finish_timeout_ms:
            due = state.started_at + spec.finish_timeout_ms
            await self._queue.library.call("run_timeout", f"{item.run_id}|f", due)

    async def _call(self, item: Item, state: RunState, spec: FunctionSpec) -> tuple[int, Answer]:
        context = self._context(item, state, spec)
        events = state.events
        body = requests.build_body(
            context, state.events_json, bytes(events[0]), _steps(state), _defers(state.defers)
        )
        signature = ""
        if signing_key := await self._signing_key(spec.env_id):
            try:
                body = jcs.canonicalise(body)
            except jcs.CanonicalError as exc:
                return 0, Failed(
                    errors.engine_error("Error", f"cannot sign the request: {exc}"), no_retry=True
                )
            signature = signing.sign(signing_key, body, clock.now_ms() // 1000)
        url = requests.call_url(spec.url, item.step_id or spec.step_id)
        headers = requests.call_headers(context, spec.account_id, signature)
        began = time.perf_counter()
        try:
            response = await self._client.call(url, headers, body)
        except TransportFailed as exc:
            count_call(exc.kind, time.perf_counter() - began)
            return 0, failed_call(exc.kind, exc.message, exc.detail)
        count_call("answered", time.perf_counter() - began)
        return response.status, classify(response.status, response.headers, response.body, clock.now_ms())

    def _context(self, item: Item, state: RunState, spec: FunctionSpec) -> requests.CallContext:
        return requests.CallContext(
            run_id=item.run_id,
            fn_id=spec.id,
            attempt=item.attempt,
            max_attempts=spec.max_attempts,
            stack=state.stack,
            current=min(item.position, len(state.stack)),
            disable_immediate_execution=state.plan_only,
            qi_id=requests.encode_qi_id(item.job_id, self._shard),
            request_id=ids.new_ulid(clock.now_ms()),
            job_id=item.job_id,
            generation_id=item.generation,
            version=state.version,
            step_id=item.step_id or spec.step_id,
        )

    async def _commit(
        self, builder: CommitBuilder, version: int | None, *, may_continue: bool
    ) -> CommitResult:
        """Commit, and try again while the server is away: a commit that had got through answers `gone`,
        and what it leased to us comes back when that lease ends."""
        commit = builder.build(version, may_continue=may_continue)
        return await _patiently(lambda: self._queue.commit(commit))

    async def _wait_for_function(
        self, item: Item, state: RunState, now: int
    ) -> tuple[CommitResult, CommitBuilder]:
        """The function is not known here (its publication was lost): the item waits, uncounted."""
        placeholder = FunctionSpec(item.function_id, "", "", "", "", item.env_id, "", 0, "")
        builder = CommitBuilder(item, state, placeholder, Dispatch(now, now))
        builder.retry(now + _UNKNOWN_FUNCTION_DELAY_MS, counts=False)
        return await self._commit(builder, None, may_continue=False), builder

    async def _following_state(
        self, state: RunState, builder: CommitBuilder, result: CommitResult
    ) -> RunState | None:
        """The state after a commit: our own copy when nobody else has changed it, else read again."""
        is_ours = builder.only_saves and result.state_version == state.state_version + len(builder.saved)
        # The commit that ends a parallel group also ends plan-only mode, which our copy cannot know.
        if not is_ours or state.version < 0 or (state.plan_only and state.version >= 2):
            return await _patiently(lambda: self._queue.state(builder.item.run_id))
        state.empty_answers = 0 if builder.saved else state.empty_answers
        for step_id, memo in builder.saved:
            state.memos[step_id] = memo
            state.stack.append(step_id)
            state.size += len(memo)
        state.state_version = result.state_version
        return state


async def _patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask again while Redis is away: what an app did, or an item that we hold, must not have to wait for
    the end of a lease."""
    for _ in range(_COMMIT_TRIES):
        try:
            return await ask()
        except RedisUnavailable:
            await asyncio.sleep(_COMMIT_PAUSE_SECONDS)
    return await ask()


def _out_of_attempts(item: Item, state: RunState, spec: FunctionSpec, now: int) -> CommitBuilder:
    """Leases that ended too often have used the attempts up: a request that kills workers must end."""
    builder = CommitBuilder(item, state, spec, Dispatch(now, now))
    builder.fail_by_engine(errors.engine_error("Error", "The request has no attempt left."))
    return builder


def _concerns_checkpoints(answer: Answer) -> bool:
    """Whether the answer ends or fails something, or touches deferrals."""
    if isinstance(answer, Ops):
        return any(op.op in LAZY_OPS or op.op in COMPLETE_OPS or op.op in ERROR_OPS for op in answer.ops)
    return isinstance(answer, Failed)


def _steps(state: RunState) -> list[tuple[str, bytes]]:
    steps = list(state.memos.items())
    if state.input_step and state.input_step not in state.memos:
        steps.append((state.input_step, memos.input_memo(state.input)))
    return steps


def _defers(defers: dict[str, bytes]) -> bytes:
    if not defers:
        return b"{}"
    return msgspec.json.encode(
        {step: {"abortable": aborted_deferral(raw) != raw} for step, raw in defers.items()},
        order="sorted",
    )
