"""Sleeps and waits for events."""

import time

import pytest

from tests.e2e.app_process import AppProcess
from tests.e2e.harness import Stepwell


def _slept_seconds(app: AppProcess, key: str) -> float:
    before, after = (call["at"] for call in app.calls(key))
    return float(after - before) / 1000


@pytest.mark.parametrize(("milliseconds", "at_most"), [(0, 1.5), (150, 1.6), (1200, 2.7)])
def test_sleep(stepwell: Stepwell, app: AppProcess, key: str, milliseconds: int, at_most: float) -> None:
    run = stepwell.wait_for_run(stepwell.send("py/sleeps", {"key": key, "ms": milliseconds}))
    assert run["output"] == "woke"
    assert app.labels(key) == ["before", "after"]
    assert milliseconds / 1000 <= _slept_seconds(app, key) < at_most


def test_sleep_until_a_moment_to_come(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    until = int(time.time() * 1000) + 1500
    stepwell.wait_for_run(stepwell.send("py/sleeps-until", {"key": key, "until": until}))
    woke = app.calls(key)[1]["at"]
    assert until <= woke < until + 1500


def test_sleep_until_a_moment_that_has_passed(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    until = int(time.time() * 1000) - 3_600_000
    stepwell.wait_for_run(stepwell.send("py/sleeps-until", {"key": key, "until": until}))
    assert app.labels(key) == ["before", "after"]
    assert _slept_seconds(app, key) < 1.5


def test_wait_fulfilled(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    event_id = stepwell.send("py/waits", {"key": key, "for": f"py/answer.{key}"})
    stepwell.wait_for_pause(event_id)
    answer_id = stepwell.send(f"py/answer.{key}", {"n": 1, "é": ["<&>", 1.5]}, ts=1_700_000_000_000)
    run = stepwell.wait_for_run(event_id)
    assert run["output"] == {
        "name": f"py/answer.{key}",
        "data": {"n": 1, "é": ["<&>", 1.5]},
        "id": answer_id,
        "ts": 1_700_000_000_000,
    }
    assert app.labels(key) == ["resumed"]


def test_wait_timed_out(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    data = {"key": key, "for": f"py/answer.{key}", "timeout_ms": 1000}
    run = stepwell.wait_for_run(stepwell.send("py/waits", data))
    assert run["output"] is None
    assert app.labels(key) == ["resumed"]


def test_event_after_the_timeout_changes_nothing(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    data = {"key": key, "for": f"py/answer.{key}", "timeout_ms": 1000}
    event_id = stepwell.send("py/waits", data)
    run = stepwell.wait_for_run(event_id)
    stepwell.send(f"py/answer.{key}")
    later = stepwell.wait_for_run(stepwell.send("py/waits", data))
    assert later["output"] is None
    assert stepwell.run(run["run_id"])["output"] is None


def test_wait_with_a_condition(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    condition = "async.data.key == event.data.key && async.data.n > 10"
    event_id = stepwell.send("py/waits", {"key": key, "for": "py/answer.if", "if": condition})
    stepwell.wait_for_pause(event_id)
    stepwell.send("py/answer.if", {"key": key, "n": 10})
    stepwell.send("py/answer.if", {"key": "another", "n": 11})
    stepwell.send("py/answer.if", {"n": 11})
    stepwell.send("py/answer.if", {"key": key, "n": 11})
    run = stepwell.wait_for_run(event_id)
    assert run["output"]["data"] == {"key": key, "n": 11}


def test_condition_that_does_not_compile_fails_the_run(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    event_id = stepwell.send("py/waits", {"key": key, "for": "py/answer.if", "if": "async.data.n >"})
    run = stepwell.wait_for_run(event_id, status="Failed")
    assert run["output"]["error"]["name"] == "InvalidExpression"
    assert run["output"]["error"]["message"] == "Wait for event If expression failed to compile"
    assert app.labels(key) == []


def test_event_before_the_wait_does_not_match(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    stepwell.send(f"py/answer.{key}", {"n": 0})
    event_id = stepwell.send("py/waits", {"key": key, "for": f"py/answer.{key}"})
    stepwell.wait_for_pause(event_id)
    stepwell.wait_for_run(event_id, status="Running")
    stepwell.send(f"py/answer.{key}", {"n": 1})
    assert stepwell.wait_for_run(event_id)["output"]["data"] == {"n": 1}


def test_two_waits_side_by_side_and_one_more(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    """One event ends one wait of a run: the third needs an event of its own."""
    event_id = stepwell.send("py/waits-twice", {"key": key})
    stepwell.wait_for_pause(event_id, count=2)
    stepwell.send("py/answer.two", {"key": key, "n": 2})
    stepwell.send("py/answer.one", {"key": key, "n": 1})
    stepwell.wait_for_pause(event_id, count=1)
    stepwell.send("py/answer.one", {"key": key, "n": 3})
    assert stepwell.wait_for_run(event_id)["output"] == [1, 2, 3]


def test_one_event_resumes_every_run_that_waits(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    sent = [stepwell.send("py/waits", {"key": key, "for": f"py/all.{key}"}) for _ in range(5)]
    for event_id in sent:
        stepwell.wait_for_pause(event_id)
    stepwell.send(f"py/all.{key}", {"n": 7})
    outputs = [stepwell.wait_for_run(event_id)["output"]["data"] for event_id in sent]
    assert outputs == [{"n": 7}] * 5
