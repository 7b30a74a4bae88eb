"""Runs that a person starts again, from the beginning or from a step."""

import hashlib

from tests.e2e.app_process import AppProcess
from tests.e2e.harness import Json, Stepwell
from tests.e2e.waiting import wait_until

RERUN = "mutation ($id: ULID!, $from: RerunFromStepInput) { rerun(runID: $id, fromStep: $from) }"


def _rerun(stepwell: Stepwell, run_id: str, from_step: Json | None = None) -> Json:
    """Start the run again and wait for the end of the new one."""
    new_id = str(stepwell.gql(RERUN, {"id": run_id, "from": from_step})["rerun"])
    assert new_id != run_id
    return wait_until(lambda: _completed(stepwell, new_id))


def _completed(stepwell: Stepwell, run_id: str) -> Json | None:
    """The run, once it has completed; until history has seen it there is none."""
    answer = stepwell.http.get(f"/v1/runs/{run_id}")
    run: Json = answer.json()["data"] if answer.status_code == 200 else {}
    return run if run.get("status") == "Completed" else None


def _step_id(name: str) -> str:
    return hashlib.sha1(name.encode()).hexdigest()


def test_from_the_beginning(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("py/chain", {"key": key}))
    again = _rerun(stepwell, run["run_id"])
    assert again["output"] == run["output"]
    assert again["original_run_id"] == run["run_id"]
    assert [label for label in app.labels(key) if label != "body"] == ["one", "two", "three"] * 2


def test_from_a_step(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    """What came before it is taken from the earlier run."""
    run = stepwell.wait_for_run(stepwell.send("py/chain", {"key": key}))
    again = _rerun(stepwell, run["run_id"], {"stepID": _step_id("two")})
    assert again["output"] == run["output"]
    labels = [label for label in app.labels(key) if label != "body"]
    assert labels == ["one", "two", "three", "two", "three"]
