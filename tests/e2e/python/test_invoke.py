"""`step.invoke` in every outcome."""

from tests.e2e.app_process import AppProcess
from tests.e2e.harness import Stepwell


def test_by_function_object(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("py/invokes-object", {"key": key, "value": "é"}))
    assert run["output"] == {"got": "é"}
    assert app.labels(key) == ["callee"]


def test_by_id(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    data = {"key": key, "function": "callee", "value": [1]}
    run = stepwell.wait_for_run(stepwell.send("py/invokes", data))
    assert run["output"] == {"result": {"got": [1]}}


def test_event_of_the_callee(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    data = {"key": key, "function": "callee", "value": 1}
    run = stepwell.wait_for_run(stepwell.send("py/invokes", data))
    (call,) = app.calls(key)
    assert call["event"]["name"] == "inngest/function.invoked"
    assert {name: call["event"]["data"][name] for name in ("key", "value")} == {"key": key, "value": 1}
    internal = call["event"]["data"]["_inngest"]
    assert internal["fn_id"] == "py-callee"
    assert internal["correlation_id"].split(".")[0] == run["run_id"]


def test_without_a_result(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("py/invokes", {"key": key, "function": "plain"}))
    assert run["output"] == {"result": None}


def test_failing_callee(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("py/invokes", {"key": key, "function": "failing-callee"}))
    assert run["output"] == {"error": {"name": "ValueError", "message": "callee says no"}}
    assert app.labels(key) == ["failing-callee", "failing-callee"]


def test_callee_that_is_late(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    data = {"key": key, "function": "slow-callee", "timeout_ms": 1000}
    run = stepwell.wait_for_run(stepwell.send("py/invokes", data))
    assert run["output"] == {
        "error": {
            "name": "InngestInvokeTimeoutError",
            "message": "Timed out waiting for invoked function to complete",
        }
    }


def test_callee_that_is_cancelled(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    event_id = stepwell.send("py/invokes", {"key": key, "function": "slow-callee"})
    app.wait_for_label(key, "slow-callee")
    stepwell.cancel(str(app.calls(key)[0]["run_id"]))
    run = stepwell.wait_for_run(event_id)
    assert run["output"] == {
        "error": {"name": "InngestInvokeCancelledError", "message": "invoked function was cancelled"}
    }


def test_function_that_does_not_exist(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("py/invokes", {"key": key, "function": "nowhere"}))
    assert run["output"] == {
        "error": {"name": "Error", "message": "could not find function with ID: py-nowhere"}
    }


def test_function_of_another_app(
    stepwell: Stepwell, app: AppProcess, flask_app: AppProcess, key: str
) -> None:
    data = {"key": key, "app": "py-flask", "function": "flask-chain"}
    run = stepwell.wait_for_run(stepwell.send("py/invokes", data))
    assert run["output"] == {"result": ["one", "two"]}
    assert flask_app.labels(key) == ["one", "two"]
