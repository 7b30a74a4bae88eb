"""Syncs of apps: what is registered, repeated, removed and refused."""

from typing import Any

import httpx
import pytest

from tests.e2e.app_process import AppProcess
from tests.e2e.harness import SHARD_PREFIX, Json, Stepwell
from tests.e2e.python.conftest import ScriptStarter
from tests.e2e.waiting import wait_until

APP_QUERY = "query { apps { id name url error connected functionCount sdkLanguage sdkVersion framework } }"


def _app(stepwell: Stepwell, name: str) -> Json:
    (found,) = [app for app in stepwell.gql(APP_QUERY)["apps"] if app["name"] == name]
    record: Json = found
    return record


def _schedules(stepwell: Stepwell, function_id: str) -> list[Any]:
    members = stepwell.redis.zrange(f"{SHARD_PREFIX}:cron", 0, -1)
    return [member for member in members if function_id in str(member)]


def test_functions_of_the_app_are_registered(stepwell: Stepwell, app: AppProcess) -> None:
    functions = {function["id"]: function for function in stepwell.functions("py")}
    assert functions["py-throws"]["name"] == "throws"
    config = functions["py-cancellable"]["config"]
    assert config["triggers"] == [{"event": "py/cancellable"}]
    assert config["cancel"] == [{"event": "py/cancel", "if": "async.data.key == event.data.key"}]
    assert functions["py-with-handler-failure"]["config"]["triggers"] == [
        {
            "event": "inngest/function.failed",
            "expression": "event.data.function_id == 'py-with-handler'",
        }
    ]


def test_app_is_shown_with_its_sdk(stepwell: Stepwell, app: AppProcess) -> None:
    record = _app(stepwell, "py")
    assert record["connected"] is True
    assert record["error"] in (None, "")
    assert record["sdkLanguage"] == "py"
    assert record["framework"] == "fast_api"
    assert record["functionCount"] == len(stepwell.functions("py"))


def test_repeated_sync_changes_nothing(stepwell: Stepwell, app: AppProcess) -> None:
    """The SDK passes the server's answer to the register request on."""
    answer = stepwell.sync(app.url)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["ok"], body["modified"]) == (True, False)
    again = stepwell.sync(app.url).json()
    assert again["app_id"] == body["app_id"]
    assert again["sync_id"] != body["sync_id"]


def test_sync_that_the_server_starts(
    stepwell: Stepwell, start_script: ScriptStarter, app_id: str, key: str
) -> None:
    app = start_script("small_app.py", stepwell, sync=False, APP_ID=app_id)
    record = stepwell.sync_by_server(app.url)
    assert (record["name"], record["connected"], record["functionCount"]) == (app_id, True, 7)
    run = stepwell.wait_for_run(stepwell.send(f"{app_id}/echo", {"key": key, "value": 1}))
    assert run["output"] == {"value": 1, "stepped": 1}
    app.stop()


def test_function_that_is_gone_after_a_sync(
    stepwell: Stepwell, start_script: ScriptStarter, app_id: str, key: str
) -> None:
    """It starts nothing any more and its schedule ends, until it is there again; its runs go on."""
    app = start_script("small_app.py", stepwell, APP_ID=app_id, FUNCTIONS="echo,naps,yearly")
    yearly = stepwell.function_id(f"{app_id}-yearly")
    wait_until(lambda: len(_schedules(stepwell, yearly)) == 1)
    asleep = stepwell.send(f"{app_id}/naps", {"key": key, "ms": 600_000})
    app.wait_for_label(key, "before")

    app.restart({"FUNCTIONS": "echo"})
    assert stepwell.sync(app.url).json()["modified"] is True
    assert [function["id"] for function in stepwell.functions(app_id)] == [f"{app_id}-echo"]
    wait_until(lambda: _schedules(stepwell, yearly) == [])
    ignored = stepwell.send(f"{app_id}/naps", {"key": key, "ms": 1})
    stepwell.wait_for_run(stepwell.send(f"{app_id}/echo", {"key": key}))
    assert stepwell.runs(ignored) == []
    assert stepwell.runs(asleep)[0]["status"] == "Running"

    app.restart({"FUNCTIONS": "echo,naps,yearly"})
    assert stepwell.sync(app.url).json()["modified"] is True
    assert stepwell.function_id(f"{app_id}-yearly") == yearly
    wait_until(lambda: len(_schedules(stepwell, yearly)) == 1)
    again = stepwell.wait_for_run(stepwell.send(f"{app_id}/naps", {"key": key, "ms": 1}))
    assert again["output"] == "rested"
    app.stop()


def test_run_whose_function_the_app_no_longer_knows(
    stepwell: Stepwell, start_script: ScriptStarter, app_id: str, key: str
) -> None:
    app = start_script("small_app.py", stepwell, APP_ID=app_id, FUNCTIONS="echo,naps", NAP_RETRIES="1")
    event_id = stepwell.send(f"{app_id}/naps", {"key": key, "ms": 600_000})
    app.wait_for_label(key, "before")
    app.restart({"FUNCTIONS": "echo"})
    stepwell.wake(_only_run(stepwell, event_id))
    run = stepwell.wait_for_run(event_id, status="Failed")
    assert run["output"]["name"] == "FunctionNotFoundError"
    assert run["output"]["message"] == f"function {app_id}-naps not found"
    app.stop()


def test_function_that_is_invalid_is_told_and_shown(
    stepwell: Stepwell, start_script: ScriptStarter, app_id: str
) -> None:
    app = start_script("small_app.py", stepwell, APP_ID=app_id, FUNCTIONS="echo")
    app.restart({"BROKEN": "1"})
    error = stepwell.sync(app.url).json()["error"]
    assert "function is invalid" in error
    assert "'every day' isn't a valid cron schedule" in error
    assert _app(stepwell, app_id)["error"] == "invalid_function"
    assert [function["id"] for function in stepwell.functions(app_id)] == [f"{app_id}-echo"]
    app.stop()


@pytest.mark.dev_only
def test_server_of_another_kind_is_refused_by_the_app(stepwell: Stepwell, app: AppProcess) -> None:
    answer = httpx.put(app.url, headers={"X-Inngest-Server-Kind": "cloud"})
    assert answer.status_code == 400
    assert answer.json()["code"] == "server_kind_mismatch"


@pytest.mark.dev_only
def test_app_of_another_kind_is_refused_by_the_server(stepwell: Stepwell) -> None:
    answer = stepwell.http.post("/fn/register", json={}, headers={"X-Inngest-Expected-Server-Kind": "cloud"})
    assert answer.status_code == 400
    assert answer.json() == {"error": "Expected server kind dev, got cloud"}


def test_address_where_nothing_listens(stepwell: Stepwell) -> None:
    record = stepwell.sync_by_server("http://127.0.0.1:1/api/inngest")
    assert (record["connected"], record["error"]) == (False, "unreachable")


def test_app_comes_back_at_its_address(
    stepwell: Stepwell, start_script: ScriptStarter, app_id: str, key: str
) -> None:
    """Killed between two steps: the run is tried again and goes on where it was."""
    app = start_script("small_app.py", stepwell, APP_ID=app_id, FUNCTIONS="naps", NAP_RETRIES="20")
    event_id = stepwell.send(f"{app_id}/naps", {"key": key, "ms": 600_000})
    app.wait_for_label(key, "before")
    app.kill()
    run_id = _only_run(stepwell, event_id)
    stepwell.wake(run_id)
    wait_until(lambda: _attempt(stepwell, run_id) > 0)
    app.restart()
    assert stepwell.wait_for_run(event_id, timeout=30)["output"] == "rested"
    assert app.labels(key) == ["after"]
    app.stop()


def _only_run(stepwell: Stepwell, event_id: str) -> str:
    (run,) = wait_until(lambda: stepwell.runs(event_id))
    return str(run["run_id"])


def _attempt(stepwell: Stepwell, run_id: str) -> int:
    """The attempt of the run's only job."""
    jobs = stepwell.http.get(f"/v1/runs/{run_id}/jobs").json()["data"]
    return int(jobs[0]["attempt"]) if jobs else 0


def test_app_that_stays_away(stepwell: Stepwell, start_script: ScriptStarter, app_id: str, key: str) -> None:
    app = start_script("small_app.py", stepwell, APP_ID=app_id, FUNCTIONS="fails")
    app.stop()
    run = stepwell.wait_for_run(stepwell.send(f"{app_id}/fails", {"key": key}), status="Failed")
    assert run["output"]["message"] == "Unable to reach SDK URL"
