"""Functions that invoke functions."""

import pytest

from tests.e2e.harness import Json
from tests.e2e.typescript.sdk_app import SdkApp

pytestmark = pytest.mark.needs_node


def invoke(app: SdkApp, key: str, target: str, **data: str) -> Json:
    event_id = app.send("invokes", key, target=target, **data)
    output: Json = app.stepwell.wait_for_run(event_id)["output"]
    return output


@pytest.mark.parametrize("target", ["object", "reference"])
def test_invoke_a_function_of_the_same_app(app: SdkApp, key: str, target: str) -> None:
    assert invoke(app, key, target) == {"result": {"doubled": 42, "event": "inngest/function.invoked"}}
    assert app.labels(key) == ["callee"]


def test_invoke_a_function_of_another_app(app: SdkApp, key: str) -> None:
    assert invoke(app, key, "otherApp") == {"result": {"tripled": 63}}
    assert app.labels(key) == ["other callee"]


def test_invoke_a_function_that_returns_nothing(app: SdkApp, key: str) -> None:
    assert invoke(app, key, "silent") == {"result": None}


def test_invoke_a_function_that_fails(app: SdkApp, key: str) -> None:
    assert invoke(app, key, "fails") == {"error": {"name": "TypeError", "message": "the callee failed"}}


def test_invoke_a_function_that_does_not_exist(app: SdkApp, key: str) -> None:
    message = f"could not find function with ID: {app.prefix}-there-is-none"
    assert invoke(app, key, "missing") == {"error": {"name": "Error", "message": message}}


def test_invoke_that_takes_too_long(app: SdkApp, key: str) -> None:
    """The invoked run goes on."""
    message = "Timed out waiting for invoked function to complete"
    error = {"name": "InngestInvokeTimeoutError", "message": message}
    assert invoke(app, key, "sleeper", timeout="1s") == {"error": error}
    assert app.labels(key) == ["sleeps"]
    app.send("wake", key)


def test_invoke_of_a_run_that_is_cancelled(app: SdkApp, key: str) -> None:
    event_id = app.send("invokes", key, target="sleeper")
    app.process.wait_for_label(key, "sleeps")
    app.send("wake", key)
    error = {"name": "InngestInvokeCancelledError", "message": "invoked function was cancelled"}
    assert app.stepwell.wait_for_run(event_id)["output"] == {"error": error}
