"""Middleware of the SDK works as its documents say."""

from tests.e2e.app_process import AppProcess
from tests.e2e.harness import Stepwell


def test_hooks_run_and_change_input_and_output(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("py/hooked", {"key": key}))
    assert run["output"] == "<by middleware <inner>>"
    labels = app.labels(key)
    assert labels.count("step") == 1
    assert labels.count("transform_input") == 3
    assert labels.count("before_response") == 3
    assert labels.count("before_send_events") == 1
    assert labels.count("after_send_events") == 1
