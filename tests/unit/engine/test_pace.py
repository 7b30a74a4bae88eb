"""The size of the runner's batches and its rests between them."""

import pytest

from apps.engine.runner.pace import Pace, PaceLimits

LIMITS = PaceLimits(
    least_batch=8, batch=64, batch_seconds=1.0, work_ahead=10, rest_ratio=2.0, rest_seconds=1.0
)


def test_full_and_quick_batches_grow_up_to_the_limit() -> None:
    pace, sizes = Pace(LIMITS), []
    for _ in range(5):
        sizes.append(pace.size)
        pace.learn(pace.size, 0.4, 0)
    assert sizes == [8, 16, 32, 64, 64]


def test_a_batch_that_was_not_full_tells_nothing_of_a_larger_one() -> None:
    pace = Pace(LIMITS)
    pace.learn(7, 0.1, 0)
    assert pace.size == 8


def test_slow_batches_shrink_down_to_the_least() -> None:
    pace = Pace(LIMITS)
    for _ in range(2):
        pace.learn(pace.size, 0.1, 0)
    sizes = []
    for _ in range(3):
        pace.learn(1, 1.5, 0)
        sizes.append(pace.size)
    assert sizes == [16, 8, 8]


def test_a_batch_between_the_two_stays_as_it_is() -> None:
    pace = Pace(LIMITS)
    pace.learn(8, 0.7, 0)
    assert pace.size == 8


@pytest.mark.parametrize(
    ("seconds", "work_ahead", "rest"),
    [(0.25, 10, 0.5), (0.25, 9, 0.0), (0.25, 0, 0.0), (0.75, 1000, 1.0)],
    ids=["a multiple of the batch", "too little work", "none", "at most"],
)
def test_a_rest_follows_where_all_runs_have_work_before_them(
    seconds: float, work_ahead: int, rest: float
) -> None:
    pace = Pace(LIMITS)
    pace.learn(8, seconds, work_ahead)
    assert pace.rest == rest


def test_the_least_batch_is_no_larger_than_the_largest() -> None:
    assert Pace(PaceLimits(least_batch=8, batch=4)).size == 4
