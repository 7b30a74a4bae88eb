from collections.abc import Iterator

import pytest

from apps.engine import clock
from apps.engine.executor.tracker import Tracker
from apps.engine.records import StepRecorded
from apps.engine.store.views import Item

NOW_MS = 1_795_438_000_000


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    yield
    clock.set_time_source(None)


def at(ms: int) -> None:
    clock.set_time_source(lambda: (NOW_MS + ms) / 1000)


def item(number: str, kind: str = "step") -> Item:
    return Item(number, "token", kind, "run", "fn", "env", "abc", 2, 1, 0, NOW_MS - 5, NOW_MS, b"")


def test_a_long_step_is_told_of_once() -> None:
    tracker = Tracker()
    at(0)
    tracker.hold(item("1"))
    at(300)
    assert tracker.newly_long() == []
    at(301)
    assert tracker.newly_long() == [
        StepRecorded(
            "run", "abc", 2, "StepRun", "Running", queued_at=NOW_MS - 5, started_at=NOW_MS
        )
    ]  # fmt: skip
    assert tracker.newly_long() == []


def test_discoveries_and_finished_steps_are_not_told_of() -> None:
    tracker = Tracker()
    at(0)
    tracker.hold(item("1", kind="edge"))
    tracker.hold(item("2"))
    tracker.release(item("2"))
    at(1_000)
    assert tracker.newly_long() == []
    assert list(tracker.held) == ["1"]


def test_a_step_whose_lease_was_lost_is_not_told_of() -> None:
    tracker = Tracker()
    at(0)
    tracker.hold(item("1"))
    tracker.lose("1")
    at(1_000)
    assert tracker.newly_long() == []
    assert tracker.held == {}
    tracker.release(item("1"))
