"""What each op does (spec 01, chapters 8, 9 and 11): the handlers of a 206 answer.

To add an opcode see docs/recipes.
"""

import random
from collections.abc import Callable

import msgspec

from apps.engine import expressions, pause_index
from apps.engine.event_stream import entry_fields
from apps.engine.executor.commit_builder import CommitBuilder, op_info
from apps.engine.executor.deferrals import defer_abort, defer_add
from apps.engine.executor.invocation import invoke_depth, invoke_event
from apps.engine.protocol import dates, errors, memos, op_options, retry
from apps.engine.protocol.op_options import InvalidOptions
from apps.engine.protocol.opcodes import Op
from apps.engine.protocol.outbound_options import AIOptions, GatewayOptions, ai_options, gateway_options
from apps.engine.protocol.responses import Ops
from apps.engine.records import StepRecorded, encode_records

MAX_INVOKE_DEPTH = 100

_RANDOM = random.Random()
_encode = msgspec.json.Encoder().encode


class RunFailed(Exception):
    """An op that cannot be carried out: the run fails with this raw error object."""

    def __init__(self, error: bytes) -> None:
        super().__init__(error.decode(errors="replace"))
        self.error = error


def _flag(value: bool) -> str:
    return "1" if value else "0"


def _race(op: Op) -> str:
    return _flag(op.parallel_race)


def _times(builder: CommitBuilder, op: Op) -> dict[str, int | bytes]:
    started = op.timing_start_ms or builder.dispatch.started_at
    ended = started + op.timing_duration_ms if op.timing_start_ms else builder.now
    return {"started_at": started, "ended_at": max(started, ended)}


def step_run(builder: CommitBuilder, op: Op, answer: Ops) -> None:
    attempt = builder.item.attempt if not builder.saved else 0
    memo = op.data if op.op == "Step" else memos.data_memo(op.data)
    builder.save(op.id, memo, op.parallel_race)
    builder.record_op(op, "Completed", attempt=attempt, output=op.data, **_times(builder, op))


# TypeScript reports an error of the function itself under this id where deferrals go with it.
_FUNCTION_ITSELF = "0737c22d3bfae812339732d14d8c7dbd6dc4e09c"


def step_error(builder: CommitBuilder, op: Op, answer: Ops) -> None:
    if answer.no_retry or builder.is_last_attempt:
        return step_failed(builder, op, answer)
    due = answer.retry_at_ms or builder.now + retry_delay_ms(builder.item.attempt)
    builder.retry(due)
    if op.id == _FUNCTION_ITSELF:
        return builder.record_function("Errored", error=op.error)
    return builder.record_op(
        op, "Errored", attempt=builder.item.attempt, error=op.error, **_times(builder, op)
    )


def step_failed(builder: CommitBuilder, op: Op, answer: Ops) -> None:
    if op.id == _FUNCTION_ITSELF:
        builder.record_function("Failed", error=op.error)
        builder.fail(errors.function_error(500, op.error, no_retry=True), op.error)
        return
    attempt = builder.item.attempt
    builder.save(op.id, memos.error_memo(op.error), op.parallel_race)
    builder.record_op(op, "Failed", attempt=attempt, error=op.error, **_times(builder, op))


def step_planned(builder: CommitBuilder, op: Op, answer: Ops) -> None:
    builder.add("P", op.id, _race(op))
    builder.record_op(op, "Queued", queued_at=builder.now)


def sleep(builder: CommitBuilder, op: Op, answer: Ops) -> None:
    due = op_options.sleep_due_ms(op, builder.now)
    info = {**op_info(op), "sleep_until": dates.rfc3339(due)}
    builder.record_op(op, "Sleeping", started_at=builder.now, queued_at=builder.now, info=_encode(info))
    awake = StepRecorded(builder.item.run_id, op.id, 0, "Sleep", "Completed", ended_at=max(due, builder.now))
    builder.add("Z", op.id, due, _race(op), encode_records([awake]))


def wait_for_event(builder: CommitBuilder, op: Op, answer: Ops) -> None:
    options = op_options.wait_options(op, builder.now)
    bucket, path, is_covered = _wait_index(builder, options.expression)
    builder.add("W", op.id, f"{builder.item.run_id}.{op.id}", options.event, options.expression, bucket)
    builder.add(path, _flag(is_covered), options.expires_ms, _race(op))
    info = {
        **op_info(op),
        "event_name": options.event,
        "expression": options.expression,
        "timeout": dates.rfc3339(options.expires_ms),
    }
    builder.record_op(op, "Waiting", started_at=builder.now, queued_at=builder.now, info=_encode(info))


def _wait_index(builder: CommitBuilder, expression: str) -> tuple[str, str, bool]:
    """(bucket, path, whether the bucket says it all) for an expression of this run's first event."""
    if not expression:
        return "*", "*", True
    try:
        program = expressions.compile_expression(expression)
    except expressions.ExpressionError as exc:
        message = "Wait for event If expression failed to compile"
        raise RunFailed(errors.invalid_expression(message, str(exc))) from exc
    event = msgspec.json.decode(builder.state.events[0])
    return pause_index.index_of(program, event)


def wait_for_signal(builder: CommitBuilder, op: Op, answer: Ops) -> None:
    options = op_options.signal_options(op, builder.now)
    run_id = builder.item.run_id
    replaced = StepRecorded(
        run_id, op.id, 0, "WaitForSignal", "TimedOut", ended_at=builder.now, info=b'{"replaced":true}'
    )
    failure_history, failure_events = builder.signal_conflict()
    builder.add("G", op.id, f"{run_id}.{op.id}", options.signal, _flag(options.conflict == "replace"))
    builder.add(options.expires_ms, _race(op), encode_records([replaced]), failure_history, *failure_events)
    info = {**op_info(op), "signal": options.signal, "timeout": dates.rfc3339(options.expires_ms)}
    builder.record_op(op, "Waiting", started_at=builder.now, queued_at=builder.now, info=_encode(info))


def invoke_function(builder: CommitBuilder, op: Op, answer: Ops) -> None:
    options = op_options.invoke_options(op, builder.now)
    depth = invoke_depth(builder)
    if depth > MAX_INVOKE_DEPTH:
        raise RunFailed(errors.engine_error("Error", "invoke depth limit reached"))
    correlation_id = f"{builder.item.run_id}.{op.id}"
    entry = invoke_event(builder, op, options, correlation_id, depth)
    fields = entry_fields(entry)
    builder.add("I", op.id, correlation_id, options.expires_ms, _race(op), len(fields), *fields)
    info = {
        **op_info(op),
        "function_id": options.function_id,
        "triggering_event_id": entry.internal_id,
        "timeout": dates.rfc3339(options.expires_ms),
    }
    builder.record_op(op, "Invoking", started_at=builder.now, queued_at=builder.now, info=_encode(info))


class ServerStep(msgspec.Struct, omit_defaults=True):
    """What an item of kind gateway carries: the request that the server makes itself."""

    op: str
    id: str
    name: str
    race: bool = False
    gateway: GatewayOptions | None = None
    ai: AIOptions | None = None


def server_step(builder: CommitBuilder, op: Op, answer: Ops) -> None:
    step = ServerStep(op.op, op.id, op.display_name or op.name, op.parallel_race)
    if op.op == "Gateway":
        step.gateway = gateway_options(op)
    else:
        step.ai = ai_options(op)
    builder.add("O", op.id, _encode(step), _race(op))
    builder.record_op(op, "Queued", queued_at=builder.now)


def discovery_request(builder: CommitBuilder, op: Op, answer: Ops) -> None:
    builder.add("D")


def run_complete(builder: CommitBuilder, op: Op, answer: Ops) -> None:
    builder.complete(op.data)


class _HttpResult(msgspec.Struct):
    status: int = 200


class _HttpOutcome(msgspec.Struct):
    data: _HttpResult = msgspec.field(default_factory=_HttpResult)


def sync_run_complete(builder: CommitBuilder, op: Op, answer: Ops) -> None:
    """The answer of a run inside of an HTTP endpoint: a server error fails it (10.1)."""
    try:
        status = msgspec.json.decode(op.data, type=_HttpOutcome).data.status
    except msgspec.ValidationError:
        status = 200
    if status < 500:
        builder.complete(op.data)
        return
    error = errors.function_error(status, op.data, no_retry=True)
    builder.record_function("Failed", output=op.data, error=error)
    builder.fail(error, op.data)


def nothing(builder: CommitBuilder, op: Op, answer: Ops) -> None:
    return


HANDLERS: dict[str, Callable[[CommitBuilder, Op, Ops], None]] = {
    "None": nothing,
    "Step": step_run,
    "StepRun": step_run,
    "StepError": step_error,
    "StepFailed": step_failed,
    "StepPlanned": step_planned,
    "Sleep": sleep,
    "WaitForEvent": wait_for_event,
    "WaitForSignal": wait_for_signal,
    "InvokeFunction": invoke_function,
    "Gateway": server_step,
    "AIGateway": server_step,
    "DiscoveryRequest": discovery_request,
    "DeferAdd": defer_add,
    "DeferAbort": defer_abort,
    "RunComplete": run_complete,
    "SyncRunComplete": sync_run_complete,
}


def handle(builder: CommitBuilder, op: Op, answer: Ops) -> None:
    """Apply one op. Raises RunFailed."""
    try:
        HANDLERS[op.op](builder, op, answer)
    except InvalidOptions as exc:
        raise RunFailed(errors.engine_error(exc.name, exc.message)) from exc


_retry_interval_seconds = 0


def set_retry_interval(seconds: int) -> None:
    """A fixed delay between attempts instead of the backoff table; 0 restores the table."""
    global _retry_interval_seconds
    _retry_interval_seconds = seconds


def retry_delay_ms(attempt: int) -> int:
    return retry.backoff_ms(attempt, _RANDOM, _retry_interval_seconds)
