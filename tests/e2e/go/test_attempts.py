"""Retries and errors of the Go dialect."""

from typing import Any

from tests.e2e.app_process import AppProcess
from tests.e2e.dialect_calls import bodies, contexts, requests
from tests.e2e.harness import Stepwell


def _attempts(app: AppProcess, key: str) -> list[tuple[int, int]]:
    """(attempt, generation) of each call request."""
    return [(ctx["attempt"], ctx["generation_id"]) for ctx in contexts(app, key)]


def _seconds_between(calls: list[dict[str, Any]]) -> float:
    first, second = calls[:2]
    return float(second["at"] - first["at"]) / 1000


def test_each_step_has_all_attempts(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("go/retried-step", {"key": key}))
    assert run["output"] == ["first done", "second done"]
    assert bodies(app, key) == ["first", "first", "first", "second", "second"]
    assert _attempts(app, key) == [(0, 1), (1, 2), (2, 3), (0, 1), (1, 2), (0, 1)]
    assert {ctx["max_attempts"] for ctx in contexts(app, key)} == {3}


def test_code_after_a_retried_step_has_all_attempts(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("go/retried-function", {"key": key}))
    assert run["output"] == "done"
    assert bodies(app, key) == ["step", "step", "body", "body", "body"]
    assert _attempts(app, key) == [(0, 1), (1, 2), (0, 1), (1, 2), (2, 3)]


def test_retries_are_the_same_job(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    stepwell.wait_for_run(stepwell.send("go/retried-function", {"key": key}))
    ctxs = contexts(app, key)
    assert ctxs[0]["job_id"] == ctxs[1]["job_id"] != ctxs[2]["job_id"] == ctxs[4]["job_id"]
    assert ctxs[0]["qi_id"] == ctxs[1]["qi_id"]
    assert len({ctx["request_id"] for ctx in ctxs}) == 5


def test_error_of_a_function_after_its_retries(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("go/failing", {"key": key}), status="Failed")
    assert run["output"] == {
        "error": "invalid status code: 500",
        "message": "always broken: é",
        "name": "Error",
    }
    assert bodies(app, key) == ["body", "body"]


def test_step_error_that_is_not_caught(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("go/step-failing", {"key": key}), status="Failed")
    assert run["output"] == {
        "error": "NonRetriableError",
        "message": "bad failed in attempt 1",
        "name": "Error",
    }
    assert bodies(app, key) == ["bad", "bad"]
    assert _attempts(app, key) == [(0, 1), (1, 2), (0, 1)]


def test_step_error_that_is_caught(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("go/caught", {"key": key}))
    assert run["output"] == {"caught": "bad failed in attempt 1", "after": 1}
    assert bodies(app, key) == ["bad", "bad", "after"]


def test_no_retry_error_in_a_step(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("go/no-retry-step", {"key": key}))
    assert run["output"] == "caught: give up in the step"
    assert bodies(app, key) == ["bad"]


def test_no_retry_error_of_a_function(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("go/no-retry", {"key": key}), status="Failed")
    assert run["output"] == {"error": "NonRetriableError", "message": "give up", "name": "Error"}
    assert bodies(app, key) == ["body"]


def test_retry_at_error_in_a_step(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    """`Retry-After` has whole seconds: 3 s from an instant are 2 to 3 s."""
    run = stepwell.wait_for_run(stepwell.send("go/retry-at-step", {"key": key}))
    assert run["output"] == "done"
    assert bodies(app, key) == ["step", "step"]
    assert 1.9 < _seconds_between(requests(app, key)) < 3.6


def test_retry_at_error_of_a_function(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("go/retry-at", {"key": key}))
    assert run["output"] == "done"
    assert 1.9 < _seconds_between(requests(app, key)) < 3.6


def test_function_that_the_app_no_longer_has(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("go/gone", {"key": key}), status="Failed")
    assert run["output"] == {
        "error": "invalid status code: 410",
        "message": "function not found: go-gone",
        "name": "Error",
    }
