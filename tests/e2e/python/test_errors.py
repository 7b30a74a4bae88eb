"""Errors: which are retried, when, with which attempt numbers, and what a failed run shows."""

from tests.e2e.app_process import AppProcess
from tests.e2e.harness import Json, Stepwell


def _attempts(app: AppProcess, key: str, label: str) -> list[int]:
    return [call["attempt"] for call in app.calls(key) if call["label"] == label]


def _seconds_between(app: AppProcess, key: str, label: str) -> float:
    first, second = [call["at"] for call in app.calls(key) if call["label"] == label]
    return float(second - first) / 1000


def _without_stack(error: Json) -> Json:
    return {name: value for name, value in error.items() if name != "stack"}


def test_uncaught_error_fails_the_run_after_its_retries(
    stepwell: Stepwell, app: AppProcess, key: str
) -> None:
    run = stepwell.wait_for_run(stepwell.send("py/throws", {"key": key}), status="Failed")
    assert _without_stack(run["output"]) == {
        "error": "invalid status code: 500",
        "name": "ValueError",
        "message": "böse <&>",
    }
    assert 'raise ValueError("böse <&>")' in run["output"]["stack"]
    assert _attempts(app, key, "body") == [0, 1, 2]


def test_retries_of_one_job_keep_its_ids(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    stepwell.wait_for_run(stepwell.send("py/throws", {"key": key}), status="Failed")
    contexts = [request["ctx"] for request in app.requests(key)]
    assert [context["generation_id"] for context in contexts] == [1, 2, 3]
    assert {context["max_attempts"] for context in contexts} == {3}
    assert len({context["qi_id"] for context in contexts}) == 1
    assert len({context["request_id"] for context in contexts}) == 3


def test_no_retries(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("py/throws-once", {"key": key}), status="Failed")
    assert run["output"]["name"] == "KeyError"
    assert run["output"]["message"] == "'gone'"
    assert _attempts(app, key, "body") == [0]


def test_function_that_succeeds_on_its_last_attempt(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("py/recovers", {"key": key}))
    assert run["output"] == 2
    assert _attempts(app, key, "body") == [0, 1, 2]


def test_non_retriable_error(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("py/non-retriable", {"key": key}), status="Failed")
    assert _without_stack(run["output"]) == {
        "error": "NonRetriableError",
        "name": "NonRetriableError",
        "message": "never again",
    }
    assert _attempts(app, key, "body") == [0]


def test_non_retriable_error_in_a_step(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("py/step-non-retriable", {"key": key}), status="Failed")
    assert run["output"]["name"] == "NonRetriableError"
    assert run["output"]["message"] == "no use"
    assert _attempts(app, key, "bad") == [0]


def test_retry_after_replaces_the_interval(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    """Never earlier than asked for; the interval of this platform is 1 s."""
    run = stepwell.wait_for_run(stepwell.send("py/retry-after", {"key": key}))
    assert run["output"] == "done"
    assert _attempts(app, key, "body") == [0, 1]
    assert 4 <= _seconds_between(app, key, "body") < 7


def test_retry_after_in_a_step(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("py/step-retry-after", {"key": key}))
    assert run["output"] == "done"
    assert _attempts(app, key, "late") == [0, 1]
    assert 4 <= _seconds_between(app, key, "late") < 7


def test_step_error_caught_after_its_retries(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("py/step-caught", {"key": key}))
    assert run["output"] == {"name": "ValueError", "message": "boom", "after": "went on"}
    assert _attempts(app, key, "bad") == [0, 1, 2]
    assert _attempts(app, key, "after") == [0]


def test_step_error_uncaught(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    """The failed step is not tried again with the function."""
    run = stepwell.wait_for_run(stepwell.send("py/step-uncaught", {"key": key}), status="Failed")
    assert _without_stack(run["output"]) == {
        "error": "NonRetriableError",
        "name": "LookupError",
        "message": "nothing there",
    }
    assert _attempts(app, key, "bad") == [0, 1]
    assert _attempts(app, key, "body") == [0, 1, 0]


def test_step_and_the_code_after_it_have_attempts_of_their_own(
    stepwell: Stepwell, app: AppProcess, key: str
) -> None:
    run = stepwell.wait_for_run(stepwell.send("py/step-recovers", {"key": key}))
    assert run["output"] == 2
    assert _attempts(app, key, "before") == [0]
    assert _attempts(app, key, "flaky") == [0, 1, 2]
    assert _attempts(app, key, "end") == [0, 1, 2]


def test_result_that_is_not_json(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("py/unserialisable", {"key": key}), status="Failed")
    assert run["output"] == {
        "error": "invalid status code: 500",
        "message": "returned unserializable data",
        "name": "OutputUnserializableError",
    }
    assert _attempts(app, key, "body") == [0, 1]
