"""Steps, memos and triggers of the Go dialect."""

import hashlib

from tests.e2e.app_process import AppProcess
from tests.e2e.dialect_calls import bodies, contexts, requests
from tests.e2e.harness import Stepwell


def _hashed(step_id: str) -> str:
    return hashlib.sha1(step_id.encode()).hexdigest()


def test_function_without_steps(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("go/plain", {"key": key, "value": "é<&>"}))
    assert run["output"] == {"echo": "é<&>"}
    assert bodies(app, key) == ["body"]


def test_call_request_of_a_first_discovery(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    event_id = stepwell.send("go/plain", {"key": key, "value": 1}, ts=1700000000123)
    run = stepwell.wait_for_run(event_id)
    (request,) = requests(app, key)
    event = {
        "name": "go/plain",
        "data": {"key": key, "value": 1},
        "id": event_id,
        "ts": 1700000000123,
        "user": {},
    }
    ctx, headers = request["ctx"], request["headers"]
    assert request["query"] == {"fnId": "go-plain", "step": "step", "stepId": "step"}
    assert request["event"] == event
    assert request["events"] == [event]
    assert request["version"] == -1
    assert ctx["run_id"] == run["run_id"]
    assert ctx["fn_id"] == stepwell.function_id("go-plain")
    assert (ctx["attempt"], ctx["max_attempts"], ctx["generation_id"]) == (0, 5, 1)
    assert ctx["stack"] == {"current": 0, "stack": []}
    assert headers == {
        "content-type": "application/json",
        "x-run-id": run["run_id"],
        "x-request-id": ctx["request_id"],
        "x-inngest-job-id": ctx["job_id"],
        "x-inngest-generation-id": "1",
        "x-inngest-step-id": "step",
        "x-inngest-req-version": "-1",
    }


def test_each_step_body_runs_once(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("go/chain", {"key": key}))
    assert run["output"] == {"one": 1, "two": {"sum": 2}, "nothing": None}
    assert bodies(app, key) == ["one", "two", "nothing"]
    one, two, nothing = (_hashed(step) for step in ("one", "two", "nothing"))
    assert [(ctx["stack"]["current"], ctx["stack"]["stack"]) for ctx in contexts(app, key)] == [
        (0, []),
        (1, [one]),
        (2, [one, two]),
        (3, [one, two, nothing]),
    ]


def test_request_version_is_kept_from_the_first_ops(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    stepwell.wait_for_run(stepwell.send("go/chain", {"key": key}))
    assert [request["version"] for request in requests(app, key)] == [-1, 2, 2, 2]


def test_repeated_and_unicode_and_empty_step_ids(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("go/odd-ids", {"key": key}))
    assert run["output"] == ["first", "second", "\u2028é<&>\u0001", 1.5]
    assert bodies(app, key) == ["same 0", "same 1", "unicode", "empty"]
    assert contexts(app, key)[-1]["stack"]["stack"] == [
        _hashed(step) for step in ("same", "same:1", 'größe 🚀/\\"<&>', "")
    ]


def test_loop_of_a_hundred_steps(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("go/loop", {"key": key, "turns": 100}), timeout=30)
    assert run["output"] == 4950
    assert bodies(app, key) == ["turn"] * 100


def test_several_triggers(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    for name in ("go/several.one", "go/several.two", "go/wild/any.thing"):
        run = stepwell.wait_for_run(stepwell.send(name, {"key": key, "n": 2}))
        assert run["output"] == name
    assert len(requests(app, key)) == 3


def test_trigger_expression_that_is_false(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    unmatched = stepwell.send("go/several.two", {"key": key, "n": 1})
    stepwell.wait_for_run(stepwell.send("go/several.two", {"key": key, "n": 2}))
    assert stepwell.runs(unmatched) == []
    assert len(requests(app, key)) == 1


def test_same_event_id_starts_one_run(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    first = stepwell.send("go/plain", {"key": key, "value": 1}, id=f"once-{key}")
    stepwell.wait_for_run(first)
    second = stepwell.send("go/plain", {"key": key, "value": 2}, id=f"once-{key}")
    stepwell.wait_for_run(stepwell.send("go/plain", {"key": f"{key} other", "value": 3}))
    assert second != first
    assert bodies(app, key) == ["body"]


def test_concurrency_of_scope_fn_is_kept_and_runs(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    event_ids = [stepwell.send("go/limited", {"key": key, "n": n}) for n in range(5)]
    outputs = [stepwell.wait_for_run(event_id)["output"] for event_id in event_ids]
    assert outputs == ["limited"] * 5
    assert bodies(app, key) == ["step"] * 5


def test_output_below_the_limit_of_a_step(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    size = 3 * 1024 * 1024
    run = stepwell.wait_for_run(stepwell.send("go/sized", {"key": key, "sizes": [size]}), timeout=30)
    assert run["output"] == [size]
    assert [request["memos"] for request in requests(app, key)] == [[], [_hashed("output 0")]]


def test_output_above_the_limit_of_a_step(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    size = 4 * 1024 * 1024
    event_id = stepwell.send("go/sized", {"key": key, "sizes": [size]})
    run = stepwell.wait_for_run(event_id, status="Failed", timeout=30)
    assert "step output size is greater than the limit" in run["output"]["message"]
    assert bodies(app, key) == ["output 0"]


def test_state_above_what_a_request_holds(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    """Go cannot fetch the state that `use_api` leaves out: it starts over, which the server ends."""
    size = 2_200_000
    event_id = stepwell.send("go/sized", {"key": key, "sizes": [size, size, 1]})
    run = stepwell.wait_for_run(event_id, status="Failed", timeout=40)
    assert run["output"]["error"]["name"] == "NoProgress"
    assert bodies(app, key) == ["output 0", "output 1", *["output 0"] * 11]
    assert [ctx["use_api"] for ctx in contexts(app, key)] == [False, False, *[True] * 11]
