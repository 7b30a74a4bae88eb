"""Concurrency limits, as the app counts them."""

from tests.e2e.app_process import AppProcess
from tests.e2e.harness import Stepwell


def test_no_more_steps_at_once_than_allowed(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    ids = stepwell.send_many([{"name": "py/limited", "data": {"key": key, "n": n}} for n in range(8)])
    for event_id in ids:
        stepwell.wait_for_run(event_id, timeout=30)
    active = [call["active"] for call in app.calls(key)]
    assert len(active) == 16
    assert max(active) == 2
