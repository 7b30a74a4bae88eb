"""What the SDK registers, and what the platform keeps of it."""

import pytest

from tests.e2e.harness import Json
from tests.e2e.typescript.sdk_app import SdkApp

pytestmark = pytest.mark.needs_node


def configuration(app: SdkApp, function: str) -> Json:
    (found,) = [one for one in app.stepwell.functions(app.prefix) if one["id"] == f"{app.prefix}-{function}"]
    config: Json = found["config"]
    return config


def test_sync_that_changes_nothing(app: SdkApp) -> None:
    answer = app.stepwell.sync(app.process.url)
    assert answer.json() == {"message": "Successfully registered", "modified": False}


def test_sync_that_the_server_starts(app: SdkApp) -> None:
    record = app.stepwell.sync_by_server(app.url("plain"))
    assert (record["name"], record["connected"]) == (f"{app.prefix}-plain", True)
    assert record["functionCount"] == 11


def test_registered_function(app: SdkApp) -> None:
    config = configuration(app, "odd-ids")
    assert config["name"] == "Ödd ⁂ name"
    assert config["triggers"] == [{"event": f"{app.prefix}/odd-ids"}]
    assert configuration(app, "step-fails")["steps"]["step"]["retries"] == {"attempts": 2}
    assert configuration(app, "limited")["concurrency"] == 2
    assert configuration(app, "overdue")["timeouts"] == {"finish": "1s"}
    assert configuration(app, "cancellable")["cancel"][0] == {
        "event": f"{app.prefix}/cancel.match",
        "if": "event.data.key == async.data.key",
    }


def test_registered_companion_of_a_failure_handler(app: SdkApp) -> None:
    config = configuration(app, "step-fails-failure")
    expression = f"event.data.function_id == '{app.prefix}-step-fails'"
    assert config["triggers"] == [{"event": "inngest/function.failed", "expression": expression}]
