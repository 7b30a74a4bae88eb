"""Bulk cancellation through the whole platform: the API, the scheduler, a Celery worker, the engine."""

from datetime import UTC, datetime

from tests.e2e.app_process import AppProcess
from tests.e2e.harness import Stepwell


def test_runs_that_match_are_cancelled(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    stays = stepwell.send("py/sleeps", {"key": f"{key}-stays", "ms": 600_000})
    goes = [stepwell.send("py/sleeps", {"key": key, "ms": 600_000}) for _ in range(3)]
    app.wait_for_label(key, "before", count=3)
    app.wait_for_label(f"{key}-stays", "before")

    answer = stepwell.http.post(
        "/v1/cancellations",
        json={
            "app_id": "py",
            "function_id": "sleeps",
            "started_before": datetime.now(UTC).isoformat(),
            "if": f"event.data.key == '{key}'",
        },
    )
    assert answer.status_code == 200, answer.text
    for event_id in goes:
        stepwell.wait_for_run(event_id, status="Cancelled")
    (run,) = stepwell.runs(stays)
    assert run["status"] == "Running"
    stepwell.cancel(run["run_id"])
