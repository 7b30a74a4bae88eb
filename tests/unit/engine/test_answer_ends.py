"""How an answer ends a run, or keeps it from it (spec 01, 7.3 and 10; spec 02, 6.4 to 6.9)."""

import random
from collections.abc import Iterator

import msgspec
import pytest

from apps.engine.executor import ops
from apps.engine.executor.answer import apply_answer
from apps.engine.executor.commit_builder import MAX_STATE_BYTES, CommitBuilder
from apps.engine.protocol.responses import Completed, Failed
from apps.engine.records import RunEnded, StepRecorded
from apps.engine.store.client import Argument
from tests.unit.engine.builders import (
    EVENT,
    NOW,
    RUN,
    SPEC,
    STARTED_AT,
    A,
    B,
    WireOp,
    applied,
    data_of,
    ending,
    make_builder,
    make_item,
    make_state,
    op,
    opcodes,
    operations,
    own_code,
    step,
)

WAIT_TOO_LONG = (
    'The wait-for-event timeout "9000h" expires more than one year in the future; '
    "timeouts may last at most one year."
)
YEAR_MS = 365 * 86_400_000
RETRY: list[Argument] = ["R", NOW + 30_000, 1, b""]


@pytest.fixture(autouse=True)
def _fixed_retry_delay() -> Iterator[None]:
    ops.set_retry_interval(30)
    yield
    ops.set_retry_interval(0)


def test_a_result_ends_the_run() -> None:
    builder = make_builder(state=make_state(correlation_id="caller.step"), status_code=200)
    apply_answer(builder, Completed(b'{"ok":true}', 2))
    assert builder.records == [
        own_code("Completed", info=b'{"status_code":200}'),
        RunEnded(RUN, "Completed", NOW, b'{"ok":true}', started_at=STARTED_AT),
    ]
    (finished,) = ending(builder)
    assert (finished.name, finished.context.correlation_id) == ("inngest/function.finished", "caller.step")
    assert data_of(finished) == {
        "_inngest": {"status": "Completed"}, "correlation_id": "caller.step",
        "event": EVENT, "events": [EVENT],
        "function_id": "app-fn", "result": {"ok": True}, "run_id": RUN,
    }  # fmt: skip


@pytest.mark.parametrize(("result", "members"), [(None, {}), (b"null", {"result": None})])
def test_an_empty_body_is_no_result(result: bytes | None, members: WireOp) -> None:
    builder = make_builder()
    apply_answer(builder, Completed(result))
    (finished,) = ending(builder)
    data = data_of(finished)
    assert {key: data[key] for key in ("result",) if key in data} == members
    assert builder.records[-1] == RunEnded(RUN, "Completed", NOW, result or b"", started_at=STARTED_AT)


def test_steps_and_the_end_may_come_together() -> None:
    builder = applied(op("RunComplete", "e", data=[1]), op("StepRun", A, data=1))
    assert operations(builder)[:5] == ["S", A, b'{"data":1}', "0", "F"]
    assert builder.records == [
        step(output=b"1", started_at=NOW - 10, ended_at=NOW),
        own_code("Completed"),
        RunEnded(RUN, "Completed", NOW, b"[1]", started_at=STARTED_AT),
    ]
    assert not builder.build(2, may_continue=True).may_continue


def test_a_targeted_request_that_ends_the_run_does_not_finish_its_step() -> None:
    builder = make_builder(make_item("step", A))
    apply_answer(builder, Completed(b"1"))
    assert [record.step_id for record in builder.records if isinstance(record, StepRecorded)] == [""]


def test_an_end_beats_a_retry() -> None:
    builder = applied(op("StepError", A), op("RunComplete", "e", data=1))
    assert opcodes(builder) == ["F"]
    assert builder.is_finished
    assert not builder.is_requeued


@pytest.mark.parametrize(
    ("status", "ends"), [(200, "Completed"), (499, "Completed"), (500, "Failed"), (None, "Completed")]
)
def test_an_endpoint_fails_by_its_status(status: int | None, ends: str) -> None:
    data = {"data": {"status": status, "headers": {}, "body": "x"}} if status else "odd"
    builder = applied(op("SyncRunComplete", "e", data=data))
    ended = builder.records[-1]
    assert isinstance(ended, RunEnded)
    assert ended.status == ends


def test_runs_of_terminal_events_say_nothing_at_their_end() -> None:
    event = {"name": "inngest/function.failed", "data": {}}
    builder = make_builder(state=make_state(event=event))
    apply_answer(builder, Completed(b"1"))
    assert operations(builder) == ["F", 0]


def failed(**members: object) -> Failed:
    base = Failed(b'{"message":"m","name":"E"}', b'{"raw":1}')
    for name, value in members.items():
        setattr(base, name, value)
    return base


def test_a_failed_request_is_tried_again() -> None:
    builder = make_builder(status_code=500)
    apply_answer(builder, failed())
    assert operations(builder) == ["K", *RETRY]
    (record,) = builder.records
    assert record == own_code(
        "Errored",
        error=b'{"message":"m","name":"E"}',
        output=b'{"raw":1}',
        info=b'{"status_code":500,"retry_at":"2026-11-23T12:47:10Z"}',
    )


def test_failures_of_the_own_code_are_numbered_through_the_run() -> None:
    builder = make_builder(make_item(attempt=1), make_state(function_errors=4))
    apply_answer(builder, failed())
    (record,) = builder.records
    assert isinstance(record, StepRecorded)
    assert (record.step_id, record.attempt) == ("", 4)


def test_a_targeted_step_that_never_reported_bears_its_failure() -> None:
    builder = make_builder(make_item("step", A, attempt=1))
    apply_answer(builder, failed(retry_at_ms=NOW + 9))
    assert operations(builder) == ["R", NOW + 9, 1, b""]
    (record,) = builder.records
    assert isinstance(record, StepRecorded)
    assert (record.step_id, record.op, record.attempt, record.status) == (A, "StepRun", 1, "Errored")


@pytest.mark.parametrize(("attempt", "no_retry"), [(2, False), (0, True)])
def test_the_last_failed_request_fails_the_run(attempt: int, no_retry: bool) -> None:
    builder = make_builder(make_item(attempt=attempt), status_code=500)
    apply_answer(builder, failed(no_retry=no_retry))
    assert builder.records == [
        own_code(
            "Failed", error=b'{"message":"m","name":"E"}', output=b'{"raw":1}', info=b'{"status_code":500}'
        ),
        RunEnded(RUN, "Failed", NOW, b'{"message":"m","name":"E"}', started_at=STARTED_AT),
    ]
    finished, failure = ending(builder)
    assert (finished.name, failure.name) == ("inngest/function.finished", "inngest/function.failed")
    assert msgspec.json.decode(failure.body)["id"] == RUN
    assert data_of(failure)["error"] == {"message": "m", "name": "E"}
    assert data_of(failure)["result"] == {"raw": 1}


def test_no_request_has_attempts_left_without_retries() -> None:
    builder = make_builder()
    builder.spec = msgspec.structs.replace(SPEC, retries=0)
    apply_answer(builder, failed())
    assert builder.is_finished


def engine_failure(builder: CommitBuilder) -> WireOp:
    ended = builder.records[-1]
    assert isinstance(ended, RunEnded)
    assert ended.status == "Failed"
    assert [record for record in builder.records if isinstance(record, RunEnded)] == [ended]
    error: WireOp = msgspec.json.decode(ended.output)["error"]
    finished, failure = ending(builder)
    assert data_of(failure)["error"] == error
    assert data_of(finished)["_inngest"] == {"status": "Failed"}
    assert "result" not in data_of(finished)
    return error


@pytest.mark.parametrize(
    ("wire", "name", "message"),
    [
        (op("Sleep", name="bogus", displayName="nap"), "InngestErrInvalidOpcode",
         'invalid options for step "nap": invalid duration "bogus"'),
        (op("Sleep", name="9000h"), "InngestErrTimeoutTooLong",
         'The sleep "9000h" ends more than one year in the future; sleeps may last at most one year.'),
        (op("WaitForEvent", name="x", opts={"timeout": "9000h"}), "InngestErrTimeoutTooLong",
         WAIT_TOO_LONG),
        (op("WaitForEvent", name="x", opts={"if": "async.data."}), "InvalidExpression",
         "Wait for event If expression failed to compile"),
        (op("InvokeFunction", displayName="inv", opts={"function_id": "x", "payload": [1]}),
         "InngestErrInvalidOpcode", 'invalid options for step "inv": payload is not an object'),
        (op("InvokeFunction", displayName="inv", opts={"function_id": "x", "payload": {"data": "text"}}),
         "InngestErrInvalidOpcode",
         'invalid options for step "inv": the data of the payload is not an object'),
        (op("WaitForSignal", displayName="s"), "InngestErrInvalidOpcode",
         'invalid options for step "s": signal name is missing'),
    ],
)  # fmt: skip
def test_impossible_options_fail_the_run_at_once(wire: WireOp, name: str, message: str) -> None:
    error = engine_failure(applied(wire))
    assert (error["name"], error["message"], error["error"]) == (name, message, f"{name}: {message}")


def test_what_had_been_done_beside_an_impossible_op_is_told() -> None:
    builder = applied(op("StepRun", A, data=1), op("Sleep", B, name="bogus"))
    assert [
        (record.step_id, record.status) for record in builder.records if isinstance(record, StepRecorded)
    ] == [(A, "Completed"), ("", "Failed")]
    assert operations(builder)[0] == "F"


def thousand(count: int) -> dict[str, bytes]:
    return {f"{number:040}": b"1" for number in range(count)}


def test_a_run_of_exactly_a_thousand_steps_completes() -> None:
    builder = make_builder(state=make_state(memos=thousand(999)))
    applied(op("StepRun", A, data=1), op("RunComplete", "e", data=1), builder=builder)
    assert opcodes(builder) == ["S", "F"]
    builder = make_builder(state=make_state(memos=thousand(1_000)))
    applied(op("DiscoveryRequest", B), builder=builder)
    assert operations(builder) == ["D"]
    builder = make_builder(state=make_state(memos=thousand(1_000)))
    applied(op("RunComplete", "e", data=1), builder=builder)
    assert opcodes(builder) == ["F"]
    assert isinstance(builder.records[-1], RunEnded)
    assert builder.records[-1].status == "Completed"


@pytest.mark.parametrize("name", ["StepRun", "StepPlanned", "StepError", "StepFailed"])
def test_a_step_beyond_the_thousandth_fails_the_run(name: str) -> None:
    builder = make_builder(state=make_state(memos=thousand(1_000)))
    error = engine_failure(applied(op(name, A), builder=builder))
    assert error["message"] == "The function run exceeded the step limit of 1000 steps."


def test_too_many_ops_in_one_answer_fail_the_run() -> None:
    builder = make_builder()
    apply_answer(builder, Failed(b"{}", kind="too_many_ops", no_retry=True))
    assert engine_failure(builder)["name"] == "InngestErrFunctionOverflowed"


@pytest.mark.parametrize("ends", [False, True])
def test_a_state_over_its_limit_fails_the_run(ends: bool) -> None:
    room = len(b'{"data":1}')
    fits = make_builder(state=make_state(size=MAX_STATE_BYTES - room))
    assert not applied(op("StepRun", A, data=1), builder=fits).is_finished
    builder = make_builder(state=make_state(size=MAX_STATE_BYTES - room + 1))
    wire = [op("StepRun", A, data=1), *([op("RunComplete", "e", data=1)] if ends else [])]
    error = engine_failure(applied(*wire, builder=builder))
    assert error["name"] == "InngestErrStateOverflowed"
    assert error["message"] == f"The function run exceeded the state size limit of {MAX_STATE_BYTES} bytes."
    assert builder.saved == []


@pytest.mark.parametrize(("attempt", "base_s"), [(0, 15), (1, 30), (3, 120), (8, 3600), (15, 7200)])
def test_the_backoff_of_an_attempt(attempt: int, base_s: int, monkeypatch: pytest.MonkeyPatch) -> None:
    ops.set_retry_interval(0)
    monkeypatch.setattr(ops, "_RANDOM", random.Random(5))
    delays = [ops.retry_delay_ms(attempt) for _ in range(50)]
    assert base_s * 1_000 <= min(delays) < max(delays) <= (base_s + 30) * 1_000
