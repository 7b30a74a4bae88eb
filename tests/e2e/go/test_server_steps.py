"""What the server does for a run of the Go dialect: sleeps, waits, invokes, groups, requests."""

import hashlib
import json

import pytest

from tests.e2e.app_process import AppProcess
from tests.e2e.dialect_calls import bodies, requests
from tests.e2e.harness import Json, Stepwell
from tests.e2e.waiting import wait_until


def _waits(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    """Returns once the first call for the key was answered and what it waits for is stored."""
    app.wait_for_label(key, "request")
    run_id = requests(app, key)[0]["ctx"]["run_id"]
    query = "query ($id: String!) { runTrace(runID: $id) { childrenSpans { status stepOp } } }"

    def find() -> bool:
        spans = stepwell.gql(query, {"id": run_id})["runTrace"]["childrenSpans"]
        return any(span["status"] == "WAITING" for span in spans)

    wait_until(find)


@pytest.mark.parametrize(("duration", "at_least_ms"), [("1s", 1000), ("150ms", 150)])
def test_sleep(stepwell: Stepwell, app: AppProcess, key: str, duration: str, at_least_ms: int) -> None:
    run = stepwell.wait_for_run(stepwell.send("go/sleeping", {"key": key, "duration": duration}))
    assert run["output"] == "awake"
    assert bodies(app, key) == ["before", "after"]
    before, after = (call["at"] for call in app.calls(key) if call["label"] in ("before", "after"))
    assert at_least_ms <= after - before < at_least_ms + 1500


def test_wait_that_is_fulfilled(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    event_id = stepwell.send("go/waiting", {"key": key, "timeout": "1h"})
    _waits(stepwell, app, key)
    stepwell.send("go/awaited", {"key": f"not {key}"})
    awaited = stepwell.send("go/awaited", {"key": key, "é": 1.5}, ts=1700000000123, user={"id": 7})
    run = stepwell.wait_for_run(event_id)
    assert run["output"] == {
        "event": {
            "name": "go/awaited",
            "data": {"key": key, "é": 1.5},
            "id": awaited,
            "ts": 1700000000123,
            "user": {"id": 7},
        }
    }


def test_wait_that_times_out(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("go/waiting", {"key": key, "timeout": "200ms"}))
    assert run["output"] == {"event": None}
    assert bodies(app, key) == ["woken"]


def test_signal_that_arrives(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    event_id = stepwell.send("go/signalled", {"key": key, "timeout": "1h"})
    _waits(stepwell, app, key)
    body = {"signal": f"signal-{key}", "data": {"n": [1, None]}}
    answer = stepwell.http.post("/v1/signals", json=body)
    run = stepwell.wait_for_run(event_id)
    assert (answer.status_code, answer.json()["data"]) == (200, {"run_id": run["run_id"]})
    assert run["output"] == {"signal": {"signal": f"signal-{key}", "data": {"n": [1, None]}}}
    assert stepwell.http.post("/v1/signals", json=body).status_code == 404


def test_signal_that_times_out(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("go/signalled", {"key": key, "timeout": "200ms"}))
    assert run["output"] == {"signal": None}


def _invoke(stepwell: Stepwell, key: str, callee: str, timeout: str = "") -> Json:
    data = {"key": key, "callee": callee, **({"timeout": timeout} if timeout else {})}
    return stepwell.wait_for_run(stepwell.send("go/invoking", data))


def test_invoke_of_a_function(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    assert _invoke(stepwell, key, "callee")["output"] == {"value": {"doubled": 42}}


def test_invoked_event_names_its_caller(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = _invoke(stepwell, key, "callee")
    callee = next(call for call in requests(app, key) if call["query"]["fnId"] == "go-callee")
    link = callee["event"]["data"]["_inngest"]
    hashed = hashlib.sha1(b"call").hexdigest()
    assert callee["event"]["name"] == "inngest/function.invoked"
    assert (link["fn_id"], link["correlation_id"]) == ("go-callee", f"{run['run_id']}.{hashed}")


def test_invoke_of_a_function_that_fails(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    output = _invoke(stepwell, key, "failing-callee")["output"]
    assert output == {"name": "Error", "message": "the callee is broken"}


def test_invoke_of_an_unknown_function(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    output = _invoke(stepwell, key, "nobody")["output"]
    assert output == {"name": "Error", "message": "could not find function with ID: go-nobody"}


def test_invoke_that_times_out(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    output = _invoke(stepwell, key, "slow-callee", "300ms")["output"]
    assert output == {
        "name": "InngestInvokeTimeoutError",
        "message": "Timed out waiting for invoked function to complete",
    }


def test_group_of_steps_sequences_and_sleeps(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("go/parallel", {"key": key}))
    assert run["output"] == [["a", ["b1", "b2"], None], "after"]
    assert sorted(bodies(app, key)) == ["a", "after", "b1", "b2"]


def test_group_is_planned_then_discovered_once(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    stepwell.wait_for_run(stepwell.send("go/parallel-failing", {"key": key}))
    good, bad = (hashlib.sha1(name).hexdigest() for name in (b"good", b"bad"))
    targets = [request["target"] for request in requests(app, key)]
    assert targets[0] == targets[-1] == ""
    assert sorted(targets[1:-1]) == sorted([good, bad, bad])


def test_failing_branch_leaves_the_others_alone(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("go/parallel-failing", {"key": key}))
    assert run["output"] == {"good": 1, "bad": "bad failed in attempt 1"}
    assert sorted(bodies(app, key)) == ["bad", "bad", "good"]


@pytest.mark.parametrize("status", [200, 404])
def test_fetch_without_method_or_headers(stepwell: Stepwell, app: AppProcess, key: str, status: int) -> None:
    run = stepwell.wait_for_run(stepwell.send("go/fetching", {"key": key, "status": status}))
    assert (run["output"]["status"], run["output"]["header"]) == (status, "yes")
    seen = {"path": f"/outside/fetch/{status}", "authorization": None, "body": {"q": 1}}
    assert json.loads(run["output"]["body"]) == seen


def test_inference(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("go/inferring", {"key": key, "status": 200}))
    assert run["output"] == {
        "path": "/outside/infer/200",
        "authorization": "Bearer sk-secret",
        "body": {"model": "m"},
    }


def test_inference_that_is_refused(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("go/inferring", {"key": key, "status": 400}))
    assert run["output"] == {
        "name": "AIGatewayError",
        "message": "Error making AI request: unsuccessful status code: 400",
    }


def test_send_and_send_many(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("go/sending", {"key": key}))
    assert len(run["output"]) == 3
    for event_id in run["output"]:
        stepwell.wait_for_run(event_id)
    assert sorted(bodies(app, key)) == ["sent 1", "sent 2", "sent 3"]


def test_cancel_by_event(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    event_id = stepwell.send("go/cancellable", {"key": key})
    wait_until(lambda: len(requests(app, key)) == 2)
    stepwell.send("go/cancel", {"key": f"not {key}"})
    stepwell.send("go/cancel", {"key": key})
    run = stepwell.wait_for_run(event_id, status="Cancelled")
    app.wait_for_label(key, "cancelled")
    data = next(call["data"] for call in app.calls(key) if call["label"] == "cancelled")
    assert data["run_id"] == run["run_id"]
    assert data["_inngest"] == {"status": "Cancelled"}
    assert "result" not in data
    assert "error" not in data
    assert bodies(app, key) == ["started", "cancelled"]
