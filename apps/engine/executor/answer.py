"""From an app's answer to the commit that carries it out (spec 01, 7 and 8.3)."""

from apps.engine.executor import ops
from apps.engine.executor.commit_builder import MAX_STATE_BYTES, MAX_STEPS, CommitBuilder
from apps.engine.protocol import errors
from apps.engine.protocol.opcodes import (
    COMPLETE_OPS,
    ERROR_OPS,
    FIRST_OPS,
    LAZY_OPS,
    PLAN_OPS,
    RESULT_OPS,
    Op,
)
from apps.engine.protocol.responses import Answer, Completed, Failed, Ops

_EMPTY_ANSWER_DELAY_MS = 100
MAX_EMPTY_ANSWERS = 10
# What a replay only reports for a step that it has no memo of.
_REPORTS_OF_NEW_STEPS = RESULT_OPS | PLAN_OPS | {"StepFailed"}
STEP_OPS = RESULT_OPS | PLAN_OPS | ERROR_OPS


def apply_answer(builder: CommitBuilder, answer: Answer) -> None:
    """Fill the builder with everything that the answer does."""
    if isinstance(answer, Completed):
        builder.complete(answer.result)
    elif isinstance(answer, Failed):
        _apply_failure(builder, answer)
    else:
        _apply_ops(builder, answer)


def _apply_failure(builder: CommitBuilder, failure: Failed) -> None:
    if failure.kind == "too_many_ops":
        builder.fail_by_engine(errors.steps_overflowed(MAX_STEPS))
    elif failure.no_retry or builder.is_last_attempt:
        builder.record_function("Failed", output=failure.output, error=failure.error)
        builder.fail(failure.error, failure.output)
    else:
        builder.retry(failure.retry_at_ms or builder.now + ops.retry_delay_ms(builder.item.attempt))
        builder.record_function("Errored", output=failure.output, error=failure.error)


def _apply_ops(builder: CommitBuilder, answer: Ops) -> None:
    working = [op for op in answer.ops if op.op not in LAZY_OPS and op.op != "None"]
    if _too_many_steps(builder, working):
        builder.fail_by_engine(errors.steps_overflowed(MAX_STEPS))
        return
    if _only_repeats(builder, working):
        _ask_again(builder)
        return
    if len(working) > 1:
        _open_group(builder, answer, working)
    try:
        for op in sorted(answer.ops, key=_order):
            _apply_op(builder, op, answer)
    except ops.RunFailed as exc:
        builder.fail_by_engine(exc.error)
        return
    if not working and answer.ops and answer.ops[0].op in LAZY_OPS:
        builder.add("D")
    elif not working:
        _ask_again(builder)


def _apply_op(builder: CommitBuilder, op: Op, answer: Ops) -> None:
    """Apply one op, unless an earlier one has ended the run. Raises RunFailed."""
    if builder.is_finished:
        return
    ops.handle(builder, op, answer)
    if op.op not in COMPLETE_OPS and builder.state_size > MAX_STATE_BYTES:
        raise ops.RunFailed(errors.state_overflowed(MAX_STATE_BYTES))


def _only_repeats(builder: CommitBuilder, working: list[Op]) -> bool:
    """A discovery that reports nothing but steps of which it was sent the memos.

    Go and Kotlin cannot fetch a state that `use_api` leaves out: they start over, and would for ever.
    """
    known = builder.state.memos
    return (
        bool(working)
        and not builder.item.step_id
        and all(op.op in _REPORTS_OF_NEW_STEPS and op.id in known for op in working)
    )


def _ask_again(builder: CommitBuilder) -> None:
    """The answer of a request that found nothing to do (01 8.6); too many in a row fail the run (04 4.8)."""
    if builder.state.empty_answers >= MAX_EMPTY_ANSWERS:
        builder.fail_by_engine(errors.no_progress(MAX_EMPTY_ANSWERS))
    else:
        builder.add("E", _EMPTY_ANSWER_DELAY_MS)


def _order(op: Op) -> int:
    """Waits and deferrals are stored first, ends come last (8.3, steps 4 and 5)."""
    return 0 if op.op in FIRST_OPS else 2 if op.op in COMPLETE_OPS else 1


def _too_many_steps(builder: CommitBuilder, working: list[Op]) -> bool:
    known = builder.state.memos
    new = {op.id for op in working if op.op in STEP_OPS and op.id not in known}
    return len(builder.state.stack) + len(new) > MAX_STEPS


def _open_group(builder: CommitBuilder, answer: Ops, working: list[Op]) -> None:
    """More than one op: the SDK plans from now on, and for version 2 the ids form a pending group."""
    if any(op.op in COMPLETE_OPS for op in working):
        return
    builder.add("U")
    version = builder.state.version if builder.state.version >= 0 else answer.req_version or 0
    if version >= 2 and any(op.op in PLAN_OPS for op in working):
        members = [op for op in working if op.op != "DiscoveryRequest"]
        for operation, races in (("Q", False), ("H", True)):
            ids = [op.id for op in members if op.parallel_race == races]
            builder.add(operation, len(ids), *ids)
