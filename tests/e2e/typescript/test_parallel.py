"""Steps side by side. v4 is asked to go on once the last branch has ended, v3 after each."""

import pytest

from tests.e2e.typescript.sdk_app import CallRequest, SdkApp

pytestmark = pytest.mark.needs_node


def discoveries(requests: list[CallRequest]) -> list[CallRequest]:
    return [request for request in requests if request.is_discovery]


def test_steps_side_by_side(app: SdkApp, key: str) -> None:
    assert app.run("all", key)["output"] == 6
    assert sorted(app.labels(key)) == ["a", "b", "c", "sum"]
    assert app.ops(key)[0] == ["StepPlanned"] * 3


def test_v4_asks_once_after_the_group_and_goes_on_checkpointing(v4: SdkApp, key: str) -> None:
    v4.run("all", key)
    requests = v4.requests(key)
    assert [request.is_discovery for request in requests] == [True, False, False, False, True]
    assert [request.plans_only for request in requests] == [False, True, True, True, False]
    assert (requests[-1].steps, requests[-1].ops) == (3, ["RunComplete"])


def test_v3_asks_after_each_step_and_runs_none_twice(v3: SdkApp, key: str) -> None:
    assert v3.run("wide", key)["output"] == 20
    assert sorted(v3.labels(key)) == sorted(f"wide-{number}" for number in range(20))
    targeted = [request for request in v3.requests(key) if not request.is_discovery]
    assert len({request.step_id for request in targeted}) == len(targeted) == 20
    asked = discoveries(v3.requests(key))
    assert 3 <= len(asked) <= 21
    assert [request.plans_only for request in asked] == [False] + [True] * (len(asked) - 1)


def test_v3_asks_once_where_the_function_chose_so(v3: SdkApp, key: str) -> None:
    assert v3.run("optimised", key)["output"] == 6
    assert sorted(v3.labels(key)) == ["a", "b", "c", "sum"]
    asked = discoveries(v3.requests(key))
    assert [request.ops for request in asked] == [["StepPlanned"] * 3, ["StepRun"], None]
    assert [request.version for request in asked] == [-1, 2, 2]


def test_wide_group(v4: SdkApp, key: str) -> None:
    assert v4.run("wide", key)["output"] == 20
    assert sorted(v4.labels(key)) == sorted(f"wide-{number}" for number in range(20))
    assert len(v4.requests(key)) == 22


def test_group_after_group(app: SdkApp, key: str) -> None:
    assert app.run("twice", key)["output"] == [1, 2, 10, 3, 4, 20]
    labels = app.labels(key)
    assert sorted(labels) == sorted(["before", "a", "b", "between", "c", "d", "last"])
    assert labels[0] == "before"
    assert set(labels[1:3]) == {"a", "b"}
    assert labels[3] == "between"
    assert set(labels[4:6]) == {"c", "d"}


def test_v4_checkpoints_before_between_and_after_groups(v4: SdkApp, key: str) -> None:
    v4.run("twice", key)
    asked = discoveries(v4.requests(key))
    planned = ["StepPlanned", "StepPlanned"]
    assert [request.ops for request in asked] == [planned, planned, ["RunComplete"]]
    assert [request.steps for request in asked] == [0, 3, 6]
    assert [request.plans_only for request in asked] == [False, False, False]


def test_race(app: SdkApp, key: str) -> None:
    assert app.run("race", key)["output"] == ["fast", "fast"]
    assert sorted(app.labels(key)) == ["after", "fast", "slow"]


def test_groups_of_sequences(app: SdkApp, key: str) -> None:
    assert app.run("sequences", key)["output"] == [[1, 2, 3]] * 3
    labels = app.labels(key)
    assert sorted(labels) == [f"{branch}{number}" for branch in "xyz" for number in (1, 2, 3)]
    for branch in "xyz":
        assert [label for label in labels if label[0] == branch] == [f"{branch}{n}" for n in (1, 2, 3)]


def test_branch_that_fails_and_is_caught(app: SdkApp, key: str) -> None:
    assert app.run("settled", key)["output"] == [1, "bad failed", 2]
    assert sorted(app.labels(key)) == ["also good", "bad", "bad", "good"]


def test_branch_that_fails_the_run(app: SdkApp, key: str) -> None:
    assert app.run("branch-fails", key, status="Failed")["output"]["message"] == "bad failed"
    assert sorted(app.labels(key)) == ["bad", "good"]


def test_step_beside_a_sleep_and_a_wait(app: SdkApp, key: str) -> None:
    event_id = app.send("mixed", key)
    app.stepwell.wait_for_pause(event_id)
    app.send("mixed.answer", key, answer=42)
    assert app.stepwell.wait_for_run(event_id)["output"] == ["ran", True, 42]
    assert app.labels(key) == ["run"]


def test_race_mode_goes_on_after_the_winner(v4: SdkApp, key: str) -> None:
    """The steps after the race do not wait for its loser; the SDK lets the run end after it."""
    assert v4.run("race-mode", key)["output"] == ["fast", "after fast", "last"]
    labels = v4.labels(key)
    assert sorted(labels) == ["after", "fast", "last", "slow", "slow done"]
    assert labels.index("last") < labels.index("slow done")


def test_race_mode_against_a_wait(v4: SdkApp, key: str) -> None:
    assert v4.run("race-wait", key)["output"] == "fast"
    assert v4.labels(key) == ["fast"]
