"""Runs of the Kotlin dialect on a platform of kind dev."""

import pytest

from tests.e2e.app_process import AppProcess
from tests.e2e.dialect_calls import bodies, contexts, requests
from tests.e2e.harness import Stepwell
from tests.e2e.waiting import wait_until


def test_function_without_steps(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("java/plain", {"key": key, "value": "é<&>"}))
    assert run["output"] == {"echo": "é<&>"}
    (body,) = (call for call in app.calls(key) if call["label"] == "body")
    assert (body["env"], body["fn_id"]) == ("", stepwell.function_id("java-plain"))


def test_each_step_body_runs_once(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("java/chain", {"key": key}))
    assert run["output"] == [1, "größe", None]
    assert bodies(app, key) == ["one", "one again", "nothing"]
    assert [request["version"] for request in requests(app, key)] == [-1, 2, 2, 2]


def test_sleep(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("java/sleeping", {"key": key}))
    assert run["output"] == "awake"
    before, after = (call["at"] for call in app.calls(key) if call["label"] in ("before", "after"))
    assert 300 <= after - before < 1800


def test_wait_that_is_fulfilled(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    """Kotlin reads the `data` of the raw event."""
    event_id = stepwell.send("java/waiting", {"key": key, "timeout": "1h"})
    app.wait_for_label(key, "request")
    run_id = requests(app, key)[0]["ctx"]["run_id"]
    query = "query ($id: String!) { runTrace(runID: $id) { childrenSpans { status } } }"
    wait_until(
        lambda: {"status": "WAITING"} in stepwell.gql(query, {"id": run_id})["runTrace"]["childrenSpans"]
    )
    stepwell.send("java/awaited", {"key": f"not {key}", "n": 1})
    stepwell.send("java/awaited", {"key": key, "n": 2})
    assert stepwell.wait_for_run(event_id)["output"] == {"data": {"key": key, "n": 2}}


def test_wait_that_times_out(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("java/waiting", {"key": key, "timeout": "200ms"}))
    assert run["output"] == {"data": None}


@pytest.mark.parametrize(
    ("n", "output"), [(21, {"doubled": 42}), (-1, {"name": "ValueError", "message": "n is negative"})]
)
def test_invoke(stepwell: Stepwell, app: AppProcess, key: str, n: int, output: dict[str, object]) -> None:
    run = stepwell.wait_for_run(stepwell.send("java/invoking", {"key": key, "n": n}))
    assert run["output"] == output


def test_events_sent_by_the_legacy_step_op(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    """The memo of a `Step` op comes back as it was sent, without `data` around it."""
    run = stepwell.wait_for_run(stepwell.send("java/sending", {"key": key}))
    assert len(run["output"]) == 2
    for event_id in run["output"]:
        stepwell.wait_for_run(event_id)
    assert sorted(bodies(app, key)) == ["sent 1", "sent 2"]


def test_attempts_of_a_step_and_of_the_function(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("java/retried", {"key": key}))
    assert run["output"] == ["first done", "body done"]
    assert bodies(app, key) == ["first", "first", "first", "body", "body"]
    assert [ctx["attempt"] for ctx in contexts(app, key)] == [0, 1, 2, 0, 1]


def test_last_step_error_is_final_and_has_a_name(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("java/step-failing", {"key": key}))
    assert run["output"] == {"name": "Error", "message": "bad failed in attempt 1"}
    assert bodies(app, key) == ["bad", "bad"]


def test_non_retriable_error_in_a_step(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("java/non-retriable", {"key": key}), status="Failed")
    assert run["output"] == {
        "error": "NonRetriableError",
        "message": "give up in the step",
        "name": "NonRetriableError",
        "stack": "at app",
    }
    assert bodies(app, key) == ["step"]


def test_retry_after_error_in_a_step(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    """The platform's own interval is 1 s; the error asks for 2 s."""
    run = stepwell.wait_for_run(stepwell.send("java/retry-after", {"key": key}))
    assert run["output"] == "done"
    assert bodies(app, key) == ["step", "step"]
    first, second, _ = (request["at"] for request in requests(app, key))
    assert 1000 < second - first < 3600


def test_failure_handler(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("java/failing", {"key": key}), status="Failed")
    app.wait_for_label(key, "failure")
    data = next(call["data"] for call in app.calls(key) if call["label"] == "failure")
    assert (data["function_id"], data["run_id"]) == ("java-failing", run["run_id"])
    assert (data["error"]["name"], data["error"]["message"]) == ("ValueError", "always broken")
    assert data["event"]["name"] == "java/failing"


def test_cancel_by_event(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    event_id = stepwell.send("java/cancellable", {"key": key})
    wait_until(lambda: len(requests(app, key)) == 2)
    stepwell.send("java/cancel", {"key": f"not {key}"})
    stepwell.send("java/cancel", {"key": key})
    stepwell.wait_for_run(event_id, status="Cancelled")
    assert bodies(app, key) == ["started"]


def test_function_with_flow_control_runs(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    unmatched = stepwell.send("java/configured", {"key": key, "n": 1})
    run = stepwell.wait_for_run(stepwell.send("java/configured", {"key": key, "n": 2}))
    assert run["output"] == "configured"
    assert stepwell.runs(unmatched) == []
