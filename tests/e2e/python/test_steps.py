from tests.e2e.app_process import AppProcess
from tests.e2e.harness import Stepwell


def test_function_without_steps(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("py/plain", {"key": key, "value": "é"}))
    assert run["output"] == {"echo": "é"}
    assert app.labels(key) == ["body"]


def test_each_step_body_runs_once(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("py/chain", {"key": key}))
    assert run["output"] == {"one": 1, "two": {"sum": 2}, "three": [1, 2, 3]}
    labels = app.labels(key)
    assert [label for label in labels if label != "body"] == ["one", "two", "three"]
    assert labels.count("body") == 4
