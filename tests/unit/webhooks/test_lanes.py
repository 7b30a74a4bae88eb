"""The bounded queue that takes turns between tenants."""

import threading

import pytest

from apps.webhooks.runtime.lanes import LaneFull, Lanes, QueueFull, preview_lane


def lanes(**limits: int) -> Lanes[str]:
    given = {"max_waiting": 10, "max_waiting_each": 4, "max_running_each": 1, **limits}
    return Lanes(**given)


def test_lanes_take_turns() -> None:
    queue = lanes(max_running_each=9)
    for job in ("a1", "a2", "a3"):
        queue.put("a", job)
    queue.put("b", "b1")
    assert [queue.take() for _ in range(4)] == [("a", "a1"), ("b", "b1"), ("a", "a2"), ("a", "a3")]


def test_a_lane_with_as_many_under_way_as_it_may_is_passed_over() -> None:
    queue = lanes()
    queue.put("a", "a1")
    queue.put("a", "a2")
    queue.put("b", "b1")
    assert queue.take() == ("a", "a1")
    assert queue.take() == ("b", "b1")
    queue.done("a")
    assert queue.take() == ("a", "a2")


def test_previews_and_deliveries_of_a_tenant_share_what_it_may_have_under_way() -> None:
    queue = lanes()
    queue.put("a", "delivery")
    queue.put(preview_lane("a"), "preview")
    queue.put("b", "b1")
    assert queue.take() == ("a", "delivery")
    assert queue.take() == ("b", "b1")
    queue.done("b")
    queue.done("a")
    assert queue.take() == (preview_lane("a"), "preview")
    queue.put("a", "next")
    queue.put(preview_lane("b"), "other")
    assert queue.take() == (preview_lane("b"), "other")
    queue.done(preview_lane("a"))
    assert queue.take() == ("a", "next")


def test_waiting_previews_take_no_room_of_deliveries() -> None:
    queue = lanes(max_waiting_each=1)
    queue.put(preview_lane("a"), "preview")
    with pytest.raises(LaneFull):
        queue.put(preview_lane("a"), "another")
    queue.put("a", "delivery")
    assert queue.take() == (preview_lane("a"), "preview")


def test_a_full_lane_leaves_room_for_the_others() -> None:
    queue = lanes(max_waiting_each=1)
    queue.put("a", "a1")
    with pytest.raises(LaneFull):
        queue.put("a", "a2")
    queue.put("b", "b1")
    assert [queue.take(), queue.take()] == [("a", "a1"), ("b", "b1")]


def test_all_lanes_together_are_bounded() -> None:
    queue = lanes(max_waiting=2)
    queue.put("a", "a1")
    queue.put("b", "b1")
    with pytest.raises(QueueFull):
        queue.put("c", "c1")
    assert queue.take() == ("a", "a1")
    queue.put("c", "c1")


def test_closing_wakes_who_waits_and_hands_back_what_nobody_took() -> None:
    queue = lanes()
    taken: list[tuple[str, str] | None] = []
    waiting = threading.Thread(target=lambda: taken.append(queue.take()))
    waiting.start()
    assert queue.close() == []
    waiting.join(timeout=10)
    assert taken == [None]
    with pytest.raises(QueueFull):
        queue.put("a", "a1")


def test_closing_hands_back_waiting_jobs() -> None:
    queue = lanes()
    queue.put("a", "a1")
    queue.put("b", "b1")
    assert queue.close() == ["a1", "b1"]
