"""Which steps a rerun keeps (spec 02, 12.2)."""

import pytest

from apps.runs.choices import StepStatus
from apps.runs.exceptions import StepAmbiguous, StepNotFound, StepOutputGone
from apps.runs.models import StepAttempt, StepPayload
from apps.runs.services.replayed_steps import find_step, memos_before


def attempt(step_id: str, started_at: int, **fields: object) -> StepAttempt:
    values = {"run_id": "R", "attempt": 0, "op": "StepRun", "status": StepStatus.COMPLETED, "info": ""}
    values |= {"name": step_id, "step_id": step_id, "started_at": started_at}
    return StepAttempt(**{**values, **fields})


def payloads(**texts: str) -> dict[tuple[str, int], StepPayload]:
    return {
        (step_id, 0): StepPayload(run_id="R", step_id=step_id, attempt=0, output=text)
        for step_id, text in texts.items()
    }


TARGET = attempt("t", 50)


def memo_of(step: StepAttempt, found: dict[tuple[str, int], StepPayload]) -> list[tuple[str, bytes]]:
    return memos_before(TARGET, [TARGET, step], found)


def test_only_what_started_before_is_kept_in_that_order() -> None:
    steps = [attempt("late", 60), TARGET, attempt("b", 20), attempt("a", 10)]
    assert memos_before(TARGET, steps, payloads(a="1", b='{"x": 1.0}', late="3")) == [
        ("a", b'{"data":1}'),
        ("b", b'{"data":{"x": 1.0}}'),
    ]


def test_the_latest_attempt_counts() -> None:
    first = attempt("a", 10, status=StepStatus.ERRORED)
    second = attempt("a", 20, attempt=1)
    error = StepPayload(run_id="R", step_id="a", attempt=0, error='{"name":"E"}')
    found = {("a", 0): error, ("a", 1): StepPayload(run_id="R", step_id="a", attempt=1, output="2")}
    assert memos_before(TARGET, [second, first, TARGET], found) == [("a", b'{"data":2}')]


def test_a_failed_step_keeps_its_error() -> None:
    error = StepPayload(run_id="R", step_id="a", attempt=0, error='{"name":"E"}')
    failed = attempt("a", 10, status=StepStatus.FAILED)
    assert memo_of(failed, {("a", 0): error}) == [("a", b'{"error":{"name":"E"}}')]


@pytest.mark.parametrize("status", [StepStatus.RUNNING, StepStatus.CANCELLED, StepStatus.ERRORED])
def test_what_did_not_finish_runs_again(status: StepStatus) -> None:
    assert memo_of(attempt("a", 10, status=status), {}) == []


def test_the_functions_own_code_is_no_step() -> None:
    assert memo_of(attempt("", 10, op="Function"), {}) == []


@pytest.mark.parametrize(
    ("op", "status"),
    [
        ("Sleep", StepStatus.COMPLETED),
        ("WaitForEvent", StepStatus.TIMED_OUT),
        ("WaitForSignal", StepStatus.TIMED_OUT),
    ],
)
def test_sleeps_and_waits_that_timed_out_are_null(op: str, status: StepStatus) -> None:
    assert memo_of(attempt("a", 10, op=op, status=status), {}) == [("a", b"null")]


def test_a_received_event_is_kept_as_the_event() -> None:
    step = attempt("a", 10, op="WaitForEvent")
    assert memo_of(step, payloads(a='{"name":"e"}')) == [("a", b'{"name":"e"}')]


def test_a_received_signal_keeps_its_name() -> None:
    step = attempt("a", 10, op="WaitForSignal", info='{"signal":"s"}')
    assert memo_of(step, payloads(a="5")) == [("a", b'{"data":{"data":5,"signal":"s"}}')]


def test_an_invoke_that_timed_out_keeps_its_error() -> None:
    error = StepPayload(run_id="R", step_id="a", attempt=0, error='{"name":"T"}')
    step = attempt("a", 10, op="InvokeFunction", status=StepStatus.TIMED_OUT)
    assert memo_of(step, {("a", 0): error}) == [("a", b'{"error":{"name":"T"}}')]


def test_a_step_that_returned_nothing_is_null_data() -> None:
    assert memo_of(attempt("a", 10), {}) == [("a", b'{"data":null}')]


@pytest.mark.parametrize(
    "step", [attempt("a", 10, op="WaitForEvent"), attempt("a", 10, status=StepStatus.FAILED)]
)
def test_a_value_that_is_gone_is_an_error(step: StepAttempt) -> None:
    with pytest.raises(StepOutputGone, match=r"^step output not found in original run$"):
        memo_of(step, {})


def test_a_step_is_found_by_its_id_name_or_user_id() -> None:
    steps = [attempt("h1", 1, name="fetch"), attempt("h2", 2, name="shown", info='{"user_id":"own"}')]
    assert find_step(steps, "h2").step_id == "h2"
    assert find_step(steps, "fetch").step_id == "h1"
    assert find_step(steps, "own").step_id == "h2"


def test_an_unknown_step_is_an_error() -> None:
    with pytest.raises(StepNotFound, match=r"^error reconstructing input state: rerun step not found$"):
        find_step([attempt("a", 1)], "b")


def test_a_name_of_several_steps_is_an_error() -> None:
    steps = [attempt("h1", 1, name="n"), attempt("h2", 2, name="n")]
    with pytest.raises(
        StepAmbiguous, match=r"^error reconstructing input state: rerun step name is ambiguous$"
    ):
        find_step(steps, "n")
