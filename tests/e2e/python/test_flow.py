"""Limits of functions, as the app counts what it is asked for."""

from tests.e2e.app_process import AppProcess
from tests.e2e.harness import Stepwell


def test_no_more_steps_at_once_than_allowed(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    ids = stepwell.send_many([{"name": "py/limited", "data": {"key": key, "n": n}} for n in range(8)])
    for event_id in ids:
        stepwell.wait_for_run(event_id, timeout=30)
    active = [call["active"] for call in app.calls(key)]
    assert len(active) == 16
    assert max(active) == 2


def test_runs_of_one_slot_take_turns(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    ids = [stepwell.send("py/exclusive", {"key": key, "n": n, "seconds": 0.1}) for n in range(3)]
    for event_id in ids:
        assert stepwell.wait_for_run(event_id)["output"] == "done"
    assert [call["n"] for call in app.calls(key) if call["label"] == "occupied"] == [0, 1, 2]


def test_run_cancelled_in_the_middle_of_a_step(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    """Its answer is dropped, and the slot goes to the next run when the answer comes."""
    first = stepwell.send("py/exclusive", {"key": key, "n": 1, "seconds": 1})
    app.wait_for_label(key, "occupied")
    second = stepwell.send("py/exclusive", {"key": key, "n": 2, "seconds": 0})
    stepwell.cancel(stepwell.wait_for_run(first, status="Running")["run_id"])
    stepwell.wait_for_run(first, status="Cancelled")
    assert stepwell.wait_for_run(second)["output"] == "done"
    assert [(call["label"], call["n"]) for call in app.calls(key)] == [
        ("occupied", 1),
        ("occupied", 2),
        ("after", 2),
    ]


def test_one_run_per_idempotency_key(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    events = [
        {"name": "py/once-per-order", "data": {"key": key, "order": f"{key}-{order}", "n": n}}
        for n, order in enumerate(["a", "b", "a"])
    ]
    ids = stepwell.send_many(events)
    assert stepwell.wait_for_run(ids[0])["output"] == 0
    assert stepwell.wait_for_run(ids[1])["output"] == 1
    assert stepwell.runs(ids[2]) == []
    assert [call["n"] for call in app.calls(key)] == [0, 1]
