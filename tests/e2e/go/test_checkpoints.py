"""Go's checkpoints: batches posted with the raw key and without a generation (spec 04 4.18)."""

from tests.e2e.app_process import AppProcess
from tests.e2e.dialect_calls import bodies, requests
from tests.e2e.harness import Stepwell


def _posts(app: AppProcess, key: str) -> list[tuple[int, int]]:
    """(steps, status) of each checkpoint."""
    calls = app.calls(key)
    return [(call["steps"], call["status"]) for call in calls if call["label"] == "checkpoint"]


def test_whole_run_in_one_request(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("go/checkpointed", {"key": key}))
    assert run["output"] == [0, 1, 2, 3, 4]
    assert bodies(app, key) == [f"step {n}" for n in range(5)]
    assert _posts(app, key) == [(2, 200), (2, 200), (1, 200)]
    assert len(requests(app, key)) == 1


def test_sleep_after_checkpoints(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    """The request after the sleep has the checkpointed steps."""
    run = stepwell.wait_for_run(stepwell.send("go/checkpointed", {"key": key, "sleeps": True}))
    assert run["output"] == [0, 1, 2, 3, 4, "late"]
    assert bodies(app, key) == [*(f"step {n}" for n in range(5)), "late"]
    assert _posts(app, key) == [(2, 200), (2, 200), (1, 200), (1, 200)]
    assert [len(request["memos"]) for request in requests(app, key)] == [0, 6]


def test_failure_after_a_checkpoint(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    """What was checkpointed is not run again, and the failing step has its retry."""
    run = stepwell.wait_for_run(stepwell.send("go/checkpointed-failing", {"key": key}))
    assert run["output"] == [1, 2, 3]
    assert bodies(app, key) == ["one", "two", "two", "three"]
    assert [request["ctx"]["attempt"] for request in requests(app, key)] == [0, 1]


def test_checkpoints_with_the_raw_signing_key(
    signed_stepwell: Stepwell, signed_app: AppProcess, key: str
) -> None:
    run = signed_stepwell.wait_for_run(signed_stepwell.send("go/checkpointed", {"key": key}))
    assert run["output"] == [0, 1, 2, 3, 4]
    assert _posts(signed_app, key) == [(2, 200), (2, 200), (1, 200)]


def test_checkpoints_that_are_refused_come_with_the_answer(
    signed_stepwell: Stepwell, app_without_checkpoints: AppProcess, key: str
) -> None:
    """The option's URL is one where nothing takes checkpoints."""
    app = app_without_checkpoints
    run = signed_stepwell.wait_for_run(
        signed_stepwell.send("go-refused/checkpointed", {"key": key, "sleeps": True}),
        function="go-refused-checkpointed",
    )
    assert run["output"] == [0, 1, 2, 3, 4, "late"]
    assert bodies(app, key) == [*(f"step {n}" for n in range(5)), "late"]
    assert {status for _, status in _posts(app, key)} == {404}
