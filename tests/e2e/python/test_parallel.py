"""Parallel steps: each branch once, one discovery for the group, race mode, failing branches."""

import hashlib

from tests.e2e.app_process import AppProcess
from tests.e2e.harness import Stepwell


def _hashed(*names: str) -> list[str]:
    return [hashlib.sha1(name.encode()).hexdigest() for name in names]


def test_plain_group(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("py/parallel", {"key": key}))
    assert run["output"] == ["A", "B", "C", "z"]
    assert sorted(app.labels(key)) == ["a", "after", "b", "c"]


def test_one_discovery_for_the_whole_group(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    stepwell.wait_for_run(stepwell.send("py/parallel", {"key": key}))
    targets = [request["step_id"] for request in app.requests(key)]
    assert targets[0] == "step"
    assert sorted(targets[1:4]) == sorted(_hashed("a", "b", "c"))
    assert targets[4:] == ["step", "step"]


def test_flags_and_stack_of_a_group(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    """Targeted requests keep the position of the fan-out; afterwards steps run at once again."""
    stepwell.wait_for_run(stepwell.send("py/parallel", {"key": key}))
    contexts = [request["ctx"] for request in app.requests(key)]
    assert [context["disable_immediate_execution"] for context in contexts] == [
        *(False, True, True, True),
        *(False, False),
    ]
    assert [context["stack"]["current"] for context in contexts] == [0, 0, 0, 0, 3, 4]


def test_wide_group(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("py/wide", {"key": key, "width": 50}), timeout=40)
    assert run["output"] == [f"w{number}" for number in range(50)]
    assert sorted(app.labels(key)) == sorted(f"w{number}" for number in range(50))
    assert [request["step_id"] for request in app.requests(key)].count("step") == 2


def test_sequences_side_by_side(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    """Second steps start when all first steps have ended."""
    run = stepwell.wait_for_run(stepwell.send("py/sequences", {"key": key}))
    assert run["output"] == [["a1", "a2"], ["b1", "b2"]]
    labels = app.labels(key)
    assert sorted(labels) == ["a1", "a2", "b1-end", "b1-start", "b2"]
    assert labels.index("b1-end") < labels.index("a2")


def test_race_lets_a_branch_go_on_alone(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("py/race", {"key": key}), timeout=20)
    assert run["output"] == [["a1", "a2"], ["b1", "b2"]]
    labels = app.labels(key)
    assert sorted(labels) == ["a1", "a2", "b1-end", "b1-start", "b2"]
    assert labels.index("a2") < labels.index("b1-end")


def test_failing_branch_caught(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("py/branch-caught", {"key": key}))
    assert run["output"] == ["caught ValueError: branch", 1]
    assert sorted(app.labels(key)) == ["bad", "bad", "good"]


def test_failing_branch_uncaught(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    run = stepwell.wait_for_run(stepwell.send("py/branch-fails", {"key": key}), status="Failed")
    assert (run["output"]["name"], run["output"]["message"]) == ("ValueError", "branch")
    assert sorted(app.labels(key)) == ["bad", "bad", "good"]


def test_every_kind_of_step_in_one_group(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    """The wait is stored before the step of the same answer sends its event."""
    run = stepwell.wait_for_run(stepwell.send("py/mixed", {"key": key}))
    assert run["output"] == ["ran", None, "py/mixed.answer", 5]
    assert app.labels(key).count("run") == 1
