"""Checkpointing, which v4 does by default: saved steps, and what happens where saving is not possible."""

import pytest

from tests.e2e.harness import Stepwell
from tests.e2e.typescript.conftest import NodeStarter
from tests.e2e.typescript.sdk_app import SdkApp
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.needs_node


def test_one_request_and_one_post_for_each_step(v4: SdkApp, key: str) -> None:
    run = v4.run("counted:chain", key)
    assert run["output"] == [1, {"one": 1, "doubled": 2}, None]
    assert v4.labels(key) == ["one", "two", "three"]
    assert v4.ops(key) == [["RunComplete"]]
    assert v4.checkpoints(run["run_id"]) == [200, 200, 200]


def test_v3_does_not_checkpoint(v3: SdkApp, key: str) -> None:
    run = v3.run("counted:chain", key)
    assert v3.checkpoints(run["run_id"]) == []


def test_v3_checkpoints_where_the_function_chose_so(v3: SdkApp, key: str) -> None:
    assert v3.run("checkpointed", key)["output"] == 2
    assert v3.labels(key) == ["one", "two"]
    assert v3.ops(key) == [["RunComplete"]]


def test_posts_that_fail_five_times(v4: SdkApp, key: str) -> None:
    """The SDK then brings the steps in its answers, and no body runs again."""
    run = v4.run("refused:chain", key, patience=40)
    assert run["output"] == [1, {"one": 1, "doubled": 2}, None]
    assert v4.labels(key) == ["one", "two", "three"]
    assert v4.ops(key) == [["StepRun"], ["StepRun"], ["StepRun"], ["RunComplete"]]
    assert v4.checkpoints(run["run_id"]) == [500] * 15


def test_several_steps_in_one_post(v4: SdkApp, key: str) -> None:
    assert v4.run("buffered", key)["output"] == 28
    assert v4.labels(key) == [f"turn-{number}" for number in range(1, 8)]
    assert len(v4.requests(key)) == 1


def test_longest_time_of_one_request(v4: SdkApp, key: str) -> None:
    """The SDK then plans the next step, so that a new request begins."""
    assert v4.run("yields", key)["output"] == 4
    assert v4.labels(key) == ["turn-0", "turn-1", "turn-2", "turn-3"]
    first, targeted, *_ = v4.requests(key)
    assert (first.is_discovery, first.ops) == (True, ["StepPlanned"])
    assert (targeted.is_discovery, targeted.ops) == (False, ["StepRun"])


def test_post_for_a_run_that_is_not_there(v4: SdkApp) -> None:
    run_id = "01M847ADSH6M07ZNE1VSGZJT5Q"
    answer = v4.stepwell.http.post(f"/v1/checkpoint/{run_id}/async", json={"run_id": run_id, "steps": []})
    assert answer.status_code == 400
    assert answer.json() == {
        "error": "run not found in state store",
        "data": {"run_id": run_id},
        "status": 400,
    }


def test_app_that_dies_between_two_steps(stepwell: Stepwell, start_node: NodeStarter, key: str) -> None:
    """It resumes behind the last saved step, and no step that was saved runs again."""
    app = start_node("v4", stepwell, prefix="ts4-mortal", HANGS_IN_THREE="yes")
    event_id = app.send("resumes", key)
    app.process.wait_for_label(key, "three")
    assert app.labels(key) == ["one", "two", "three"]
    (run,) = stepwell.runs(event_id)
    saved = stepwell.http.get(f"/v0/runs/{run['run_id']}/actions").json()
    assert [memo["data"] for memo in saved.values()] == [1, 2]
    app.process.kill()
    app.process.restart({"HANGS_IN_THREE": ""})
    wait_until(lambda: app.labels(key) != [], 30)
    assert stepwell.wait_for_run(event_id)["output"] == 6
    assert app.labels(key) == ["three"]
    app.process.stop()


def test_state_of_an_ended_run_is_gone(v4: SdkApp, key: str) -> None:
    run = v4.run("chain", key)
    for part in ("actions", "batch"):
        answer = v4.stepwell.http.get(f"/v0/runs/{run['run_id']}/{part}")
        assert answer.status_code == 410
        assert answer.json()["status"] == 410
