"""Ends of runs: cancellation by event, API and timeouts, failure handlers, functions that follow."""

import time

from tests.e2e.app_process import AppProcess
from tests.e2e.harness import SHARD_PREFIX, Stepwell
from tests.e2e.waiting import wait_until


def test_cancelled_by_event(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    event_id = stepwell.send("py/cancellable", {"key": key})
    app.wait_for_label(key, "before")
    stepwell.send("py/cancel", {"key": "another"})
    stepwell.send("py/cancel", {"key": key})
    run = stepwell.wait_for_run(event_id, status="Cancelled")
    assert run["ended_at"] is not None
    assert run.get("output") is None
    assert app.labels(key)[0] == "before"
    assert "after" not in app.labels(key)


def test_condition_of_a_cancellation_selects_the_run(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    stays = stepwell.send("py/cancellable", {"key": f"{key}-stays"})
    goes = stepwell.send("py/cancellable", {"key": key})
    app.wait_for_label(f"{key}-stays", "before")
    app.wait_for_label(key, "before")
    stepwell.send("py/cancel", {"key": key})
    stepwell.wait_for_run(goes, status="Cancelled")
    (run,) = stepwell.runs(stays)
    assert run["status"] == "Running"
    stepwell.cancel(run["run_id"])


def test_cancelled_through_the_api_while_asleep(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    event_id = stepwell.send("py/sleeps", {"key": key, "ms": 600_000})
    app.wait_for_label(key, "before")
    run = wait_until(lambda: stepwell.runs(event_id))[0]
    stepwell.cancel(run["run_id"])
    stepwell.wait_for_run(event_id, status="Cancelled")
    assert app.labels(key) == ["before"]


def test_nothing_of_a_cancelled_run_is_left(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    event_id = stepwell.send("py/waits", {"key": key, "for": "py/never", "if": "async.data.n == 1"})
    run_id = stepwell.wait_for_pause(event_id)
    stepwell.cancel(run_id)
    stepwell.wait_for_run(event_id, status="Cancelled")
    assert list(stepwell.redis.scan_iter(f"{SHARD_PREFIX}:*{run_id}*", count=1000)) == []


def test_cancelled_run_is_announced(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    event_id = stepwell.send("py/cancellable", {"key": key})
    app.wait_for_label(key, "before")
    stepwell.send("py/cancel", {"key": key})
    run = stepwell.wait_for_run(event_id, status="Cancelled")
    app.wait_for_label(key, "cancelled")
    (event,) = [call["event"] for call in app.calls(key) if call["label"] == "cancelled"]
    assert event["id"] == run["run_id"]
    assert event["data"]["run_id"] == run["run_id"]
    assert event["data"]["event"]["id"] == event_id
    assert event["data"]["_inngest"] == {"status": "Cancelled"}
    assert {"result", "error"}.isdisjoint(event["data"])


def test_finished_run_is_announced(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    event_id = stepwell.send("py/plain", {"key": key, "value": {"n": 1}})
    run = stepwell.wait_for_run(event_id, function="py-plain")
    app.wait_for_label(key, "finished")
    (event,) = [call["event"] for call in app.calls(key) if call["label"] == "finished"]
    assert event["name"] == "inngest/function.finished"
    assert event["data"]["function_id"] == "py-plain"
    assert event["data"]["run_id"] == run["run_id"]
    assert event["data"]["result"] == {"n": 1}
    assert event["data"]["event"]["name"] == "py/plain"
    assert [item["id"] for item in event["data"]["events"]] == [event_id]
    assert "error" not in event["data"]


def test_failure_handler(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    event_id = stepwell.send("py/with-handler", {"key": key})
    run = stepwell.wait_for_run(event_id, status="Failed")
    app.wait_for_label(key, "on-failure")
    labels = app.labels(key)
    assert labels == ["body", "body", "on-failure"]
    data = app.calls(key)[2]["event"]["data"]
    assert data["function_id"] == "py-with-handler"
    assert data["run_id"] == run["run_id"]
    assert data["error"]["name"] == "ValueError"
    assert data["error"]["message"] == "handled elsewhere"
    assert data["error"]["error"] == "invalid status code: 500"
    assert "handled elsewhere" in data["error"]["stack"]
    assert data["event"]["id"] == event_id
    assert app.calls(key)[2]["run_id"] != run["run_id"]


def test_run_that_takes_too_long(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    event_id = stepwell.send("py/finish-timeout", {"key": key})
    stepwell.wait_for_run(event_id, status="Cancelled")
    assert app.labels(key) == ["before"]


def test_run_that_starts_too_late(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    first = stepwell.send("py/start-timeout", {"key": key, "n": 1})
    app.wait_for_label(key, "occupied")
    second = stepwell.send("py/start-timeout", {"key": key, "n": 2})
    stepwell.wait_for_run(second, status="Cancelled")
    assert stepwell.wait_for_run(first)["output"] == "done"
    assert [call["n"] for call in app.calls(key)] == [1]


def test_event_of_the_future_starts_its_run_then(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    due = int(time.time() * 1000) + 3000
    event_id = stepwell.send("py/plain", {"key": key}, ts=due)
    stepwell.wait_for_run(event_id, function="py-plain")
    (call,) = [call for call in app.calls(key) if call["label"] == "body"]
    assert due <= call["at"] < due + 2000
