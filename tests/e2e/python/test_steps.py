"""`step.run`: each body runs once, and every value and id comes back as it was."""

from typing import Any

import pytest

from tests.e2e.app_process import AppProcess
from tests.e2e.harness import Stepwell

ODD_NAMES = ["", " ", "é<>&\"'\\", "日本 💥", "line\nbreak\t", "a/b?c=d&e#f", "x" * 1000, "0", "null"]

VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    1e21,
    2**53 - 1,
    "",
    "é<>&\u2028 💥",
    '\\"quoted"\\',
    "null",
    [],
    {},
    [None, [1, [2, [3]]]],
    {"data": 1},
    {"error": "no error"},
    {"data": None, "error": None},
    {"": {"z": 1, "a": {"é": [{}]}}},
]


def test_function_without_steps(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    event_id = stepwell.send("py/plain", {"key": key, "value": {"é": 1}})
    run = stepwell.wait_for_run(event_id, function="py-plain")
    assert run["output"] == {"é": 1}
    (call,) = [call for call in app.calls(key) if call["label"] == "body"]
    assert call["run_id"] == run["run_id"]
    assert call["attempt"] == 0


def test_event_reaches_the_function_as_sent(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    data = {"key": key, "value": 1, "nested": VALUES}
    event_id = stepwell.send("py/plain", data, ts=1_700_000_000_123)
    stepwell.wait_for_run(event_id, function="py-plain")
    (call,) = [call for call in app.calls(key) if call["label"] == "body"]
    assert call["event"] == {"name": "py/plain", "data": data, "id": event_id, "ts": 1_700_000_000_123}


def test_function_that_is_no_coroutine(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("py/plain-sync", {"key": key, "value": 21}))
    assert run["output"] == 42
    assert app.labels(key) == ["double"]


def test_each_step_body_runs_once(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("py/chain", {"key": key}))
    assert run["output"] == {"one": 1, "two": {"sum": 2}, "three": [1, 2, 3]}
    labels = app.labels(key)
    assert [label for label in labels if label != "body"] == ["one", "two", "three"]
    assert labels.count("body") == 4


def test_call_requests_of_a_chain(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    """One discovery per step and one for the end; the stack grows, the attempt does not."""
    run = stepwell.wait_for_run(stepwell.send("py/chain", {"key": key}))
    requests = app.requests(key)
    assert [request["step_id"] for request in requests] == ["step"] * 4
    assert [request["ctx"]["stack"]["current"] for request in requests] == [0, 1, 2, 3]
    assert [len(request["steps"]) for request in requests] == [0, 1, 2, 3]
    assert {request["ctx"]["attempt"] for request in requests} == {0}
    assert {request["ctx"]["run_id"] for request in requests} == {run["run_id"]}
    assert len({request["ctx"]["request_id"] for request in requests}) == 4
    assert [request["version"] for request in requests] == [-1, 2, 2, 2]


def test_one_id_used_three_times(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("py/duplicates", {"key": key}))
    assert run["output"] == ["a", "b"]
    assert app.labels(key) == ["first", "second"]


def test_nested_step_fails_without_retry(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("py/nested", {"key": key}), status="Failed")
    assert run["output"]["message"] == "Nested steps are not supported."
    assert run["output"]["name"] == "CodedError"
    assert app.labels(key) == ["outer"]


def test_loop_of_100_steps(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("py/loop", {"key": key, "count": 100}), timeout=60)
    assert run["output"] == sum(range(100))
    assert app.labels(key) == [f"step-{number}" for number in range(100)]


def test_values_of_every_kind(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("py/values", {"key": key, "values": VALUES}))
    assert run["output"] == VALUES
    assert app.labels(key) == [f"value-{position}" for position in range(len(VALUES))]


@pytest.mark.parametrize("value", [None, False, 0, "", "text", [], {}, [1, {"a": None}]], ids=repr)
def test_result_of_every_kind(stepwell: Stepwell, app: AppProcess, key: str, value: Any) -> None:
    event_id = stepwell.send("py/plain", {"key": key, "value": value})
    run = stepwell.wait_for_run(event_id, function="py-plain")
    assert run["output"] == value


def test_odd_step_ids(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("py/odd-ids", {"key": key, "names": ODD_NAMES}))
    assert run["output"] == ODD_NAMES
    assert app.labels(key) == ODD_NAMES


def test_state_too_large_for_a_request(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    """From 4 MiB on the SDK fetches steps and events from the API."""
    event_id = stepwell.send("py/large", {"key": key, "count": 6, "size": 1_000_000, "extra": "é"})
    run = stepwell.wait_for_run(event_id, timeout=30)
    assert run["output"] == {
        "sizes": [[letter, 1_000_000] for letter in "abcdef"],
        "events": ["py/large"],
        "data": {"key": key, "count": 6, "size": 1_000_000, "extra": "é"},
    }
    assert app.labels(key) == list("abcdef")
    assert [request["use_api"] for request in app.requests(key)] == [False] * 5 + [True] * 2
