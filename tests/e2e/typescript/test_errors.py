"""Errors of steps and functions: attempts, final errors, what the code and onFailure learn of them."""

import itertools
from typing import Any

import pytest

from tests.e2e.harness import Json
from tests.e2e.typescript.sdk_app import SdkApp

pytestmark = pytest.mark.needs_node


def attempts(app: SdkApp, key: str, label: str) -> list[Any]:
    return [call["attempt"] for call in app.calls(key, label)]


def failure(app: SdkApp, key: str) -> Json:
    app.process.wait_for_label(key, "onFailure")
    (call,) = app.calls(key, "onFailure")
    return call


def seconds_between(calls: list[Json]) -> list[float]:
    times = [call["at"] / 1000 for call in calls]
    return [later - earlier for earlier, later in itertools.pairwise(times)]


def test_step_is_tried_again_until_it_works(app: SdkApp, key: str) -> None:
    assert app.run("step-recovers", key)["output"] == ["worked at attempt 2", "after"]
    assert app.labels(key) == ["before", "flaky", "flaky", "flaky", "after"]
    assert attempts(app, key, "flaky") == [0, 1, 2]
    ops = [request.ops for request in app.requests(key)]
    expected: list[list[str] | None] = [["StepError"], ["StepError"], ["StepRun"]]
    assert ops == ([["StepRun"], *expected, ["StepRun"], None] if app.is_v3 else [*expected, ["RunComplete"]])


def test_step_that_never_works_fails_the_run(app: SdkApp, key: str) -> None:
    run = app.run("step-fails", key, status="Failed")
    assert attempts(app, key, "doomed") == [0, 1, 2]
    assert run["output"]["message"] == "card declined"
    assert run["output"]["stack"].startswith("PaymentError: card declined\n")
    told = failure(app, key)
    assert told["message"] == "card declined"
    assert (told["functionId"], told["runId"]) == (f"{app.prefix}-step-fails", run["run_id"])
    assert (told["isError"], told["original"]) == (True, f"{app.prefix}/step-fails")


def test_error_of_a_step_is_caught(app: SdkApp, key: str) -> None:
    """v3 loses the class's name on the way, v4 keeps it."""
    assert app.run("step-caught", key)["output"] == {
        "caught": {
            "name": "Error" if app.is_v3 else "PaymentError",
            "message": "card declined",
            "isStepError": True,
        },
        "cause": "no money",
        "rescue": "rescued",
    }
    assert app.labels(key) == ["doomed", "doomed", "rescue"]


def test_function_is_tried_again_until_its_attempts_end(app: SdkApp, key: str) -> None:
    run = app.run("throws", key, status="Failed")
    assert attempts(app, key, "body") == [0, 1, 2]
    assert run["output"]["message"] == "attempt 2"
    told = failure(app, key)
    assert (told["message"], told["runId"]) == ("attempt 2", run["run_id"])
    statuses = [request.status for request in app.requests(key)][:3]
    assert statuses == ([500, 500, 500] if app.is_v3 else [500, 500, 400])


def test_function_that_throws_once_keeps_its_steps(app: SdkApp, key: str) -> None:
    assert app.run("throws-once", key)["output"] == 1
    assert app.labels(key) == ["before", "body", "body"]


def test_function_without_retries(app: SdkApp, key: str) -> None:
    assert app.run("no-retries", key, status="Failed")["output"]["message"] == "only once"
    assert app.labels(key) == ["body"]


def test_non_retriable_error_of_a_function(app: SdkApp, key: str) -> None:
    run = app.run("final", key, status="Failed")
    output = run["output"]
    assert output["error"] == "NonRetriableError"
    assert output["name"] == ("Error" if app.is_v3 else "NonRetriableError")
    assert output["message"] == "never again"
    assert output["cause"]["message"] == "the reason"
    assert failure(app, key)["message"] == "never again"
    assert app.labels(key) == ["body", "onFailure"]


def test_non_retriable_error_of_a_step(app: SdkApp, key: str) -> None:
    run = app.run("final-step", key, status="Failed")
    assert run["output"]["message"] == "never again"
    assert app.labels(key) == ["doomed"]
    assert app.ops(key) == [["StepFailed"], None]


def test_non_retriable_error_of_a_step_is_caught(app: SdkApp, key: str) -> None:
    run = app.run("final-step", key, catches=True)
    assert run["output"] == {"caught": "never again", "isStepError": True}
    assert app.labels(key) == ["doomed"]


def test_function_asks_for_a_later_attempt(app: SdkApp, key: str) -> None:
    """The platform's own delay here is 1 s."""
    assert app.run("retry-after", key)["output"] == 1
    (gap,) = seconds_between(app.calls(key, "body"))
    assert 2 <= gap < 6


def test_step_asks_for_a_later_attempt(app: SdkApp, key: str) -> None:
    assert app.run("retry-after-step", key)["output"] == 1
    (gap,) = seconds_between(app.calls(key, "limited"))
    assert 2 <= gap < 6


def test_function_that_throws_a_text(app: SdkApp, key: str) -> None:
    run = app.run("throws-text", key, status="Failed")
    assert (run["output"]["name"], run["output"]["message"]) == ("Error", "just a text")
