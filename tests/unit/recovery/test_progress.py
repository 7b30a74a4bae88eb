"""How far a run had come, out of the attempts that history has of it."""

import json

from apps.runs.choices import StepStatus
from apps.runs.models import StepAttempt, StepPayload
from apps.runs.recovery.progress import Progress, Retry, progress_of


def attempt(
    step_id: str, status: StepStatus, *, op: str = "StepRun", number: int = 0, **fields: object
) -> StepAttempt:
    info = json.dumps(fields.pop("info", {}))
    return StepAttempt(
        run_id="r", step_id=step_id, attempt=number, op=op, status=status, name="", info=info, **fields
    )


def payload(step_id: str, number: int = 0, **fields: str) -> tuple[tuple[str, int], StepPayload]:
    return (step_id, number), StepPayload(run_id="r", step_id=step_id, attempt=number, **fields)


def test_memos_are_in_the_order_of_their_ends() -> None:
    attempts = [
        attempt("long", StepStatus.COMPLETED, started_at=1, ended_at=30),
        attempt("short", StepStatus.COMPLETED, started_at=2, ended_at=10),
        attempt("failed", StepStatus.FAILED, started_at=3, ended_at=20),
        attempt("nap", StepStatus.COMPLETED, op="Sleep", ended_at=40),
    ]
    payloads = dict(
        [payload("long", output="1"), payload("short", output="2"), payload("failed", error='{"e":1}')]
    )
    assert progress_of(attempts, payloads).memos == [
        ("short", b'{"data":2}'),
        ("failed", b'{"error":{"e":1}}'),
        ("long", b'{"data":1}'),
        ("nap", b"null"),
    ]


def test_a_result_of_a_checkpoint_stands_also_where_a_later_attempt_has_failed() -> None:
    attempts = [
        attempt("a", StepStatus.COMPLETED, ended_at=5),
        attempt("a", StepStatus.ERRORED, number=1, ended_at=9),
    ]
    found = progress_of(attempts, dict([payload("a", output="7")]))
    assert found.memos == [("a", b'{"data":7}')]
    assert found.unfinished == 0


def test_a_memo_without_a_wrapper_stays_so() -> None:
    raw = attempt("a", StepStatus.COMPLETED, ended_at=1, info={"raw": 1})
    assert progress_of([raw], dict([payload("a", output='{"ids":[]}')])).memos == [("a", b'{"ids":[]}')]


def test_an_output_that_is_gone_is_asked_for_again() -> None:
    found = progress_of([attempt("w", StepStatus.COMPLETED, op="WaitForEvent", ended_at=1)], {})
    assert (found.memos, found.asked) == ([], 1)


def test_what_is_open() -> None:
    attempts = [
        attempt("nap", StepStatus.SLEEPING, op="Sleep", queued_at=5),
        attempt("plan", StepStatus.QUEUED, queued_at=6),
        attempt("busy", StepStatus.RUNNING, started_at=7),
        attempt("fetch", StepStatus.ERRORED, op="Gateway", ended_at=8),
        attempt("twice", StepStatus.ERRORED, ended_at=8),
        attempt("twice", StepStatus.ERRORED, number=1, ended_at=9, info={"retry_at": "1970-01-01T00:00:01Z"}),
        attempt("twice", StepStatus.RUNNING, number=2, started_at=10),
    ]
    found = progress_of(attempts, {})
    assert [step.step_id for step in found.open_steps] == ["nap"]
    assert found.retries == [Retry("twice", 2, 1000)]
    assert (found.asked, found.unfinished, found.first_sign) == (3, 5, 5)


def test_failures_of_the_own_code_since_the_last_result_count_as_attempts() -> None:
    attempts = [
        attempt("", StepStatus.ERRORED, op="Function", number=0, ended_at=10),
        attempt("a", StepStatus.COMPLETED, ended_at=20),
        attempt("", StepStatus.ERRORED, op="Function", number=1, ended_at=30),
        attempt(
            "",
            StepStatus.ERRORED,
            op="Function",
            number=2,
            ended_at=40,
            info={"retry_at": "1970-01-01T00:00:02Z"},
        ),
    ]
    found = progress_of(attempts, {})
    assert (found.own_errors, found.own_retry) == (3, Retry("", 2, 2000))


def test_nothing_yet() -> None:
    assert progress_of([], {}) == Progress()
