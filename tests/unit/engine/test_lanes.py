"""Whose entry is next, and that none is lost or out of order."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from apps.engine.runner.lanes import FairLanes, Path

A, B = ("acc", "env", "a"), ("acc", "env", "b")


def lanes(*fills: tuple[Path, int]) -> FairLanes[int]:
    """Lanes whose entries are their numbers in the lane, each of weight 1."""
    made: FairLanes[int] = FairLanes(lambda _: 1)
    for path, count in fills:
        for number in range(count):
            made.add(path, number)
    return made


def take(made: FairLanes[int], count: int) -> list[tuple[Path, int]]:
    return [made.take() for _ in range(count)]


def test_the_first_entry_of_an_idle_lane_is_next() -> None:
    made = lanes((A, 10_000))
    take(made, 500)
    made.add(B, 0)
    assert made.take() == (B, 0)
    assert made.take() == (A, 500)


def test_an_idle_lane_goes_before_a_thousand_that_were_served() -> None:
    crowd = [("acc", "env", str(number)) for number in range(1_000)]
    made = lanes(*((path, 10) for path in crowd))
    take(made, 1_500)
    made.add(B, 0)
    assert made.take() == (B, 0)


def test_each_level_shares_alike() -> None:
    paths = [("x", "e1", "a"), ("x", "e1", "b"), ("x", "e2", "a"), ("y", "e3", "a")]
    made = lanes(*((path, 1_000) for path in paths))
    served = Counter(path for path, _ in take(made, 800))
    assert served == {paths[0]: 100, paths[1]: 100, paths[2]: 200, paths[3]: 400}


def test_a_lane_that_is_idle_now_and_then_has_its_share_and_no_more() -> None:
    made = lanes((A, 1_000))
    served: Counter[Path] = Counter()
    for number in range(400):
        if B not in made:
            made.add(B, number)
        served[made.take()[0]] += 1
    assert served == {A: 200, B: 200}


def test_weights_are_those_of_what_is_held() -> None:
    made = lanes((A, 3), (B, 2))
    assert (len(made), made.weight, made.weight_of(A), made.weight_of(B)) == (5, 5, 3, 2)
    take(made, 3)
    assert (len(made), made.weight, made.weight_of(A), made.weight_of(B)) == (2, 2, 1, 1)
    assert made.weight_of(("acc", "elsewhere", "a")) == 0


def test_lanes_that_meet_are_merged_in_order() -> None:
    made: FairLanes[int] = FairLanes(lambda number: number)
    for number in range(10):
        made.add(("acc", "env", "ab"[number % 2]), number)
    made.add(("acc", "env", "c"), 100)
    made.regroup(lambda path: path if path[2] == "c" else B, lambda number: number)
    assert (len(made), made.weight, made.weight_of(A), made.weight_of(B)) == (11, 145, 0, 45)
    taken = [made.take()[1] for _ in range(11)]
    assert taken == [0, 100, 1, 2, 3, 4, 5, 6, 7, 8, 9]


paths = st.tuples(st.sampled_from("xy"), st.sampled_from("ef"), st.sampled_from("abc"))


@given(st.lists(st.one_of(paths, st.none()), max_size=200))
def test_whatever_comes_each_lane_is_served_in_order(steps: list[Path | None]) -> None:
    """None: serve one; a path: add to it."""
    made: FairLanes[int] = FairLanes(lambda _: 1)
    added: dict[Path, int] = {}
    served: dict[Path, list[int]] = {}
    for path in [*steps, *[None] * len(steps)]:
        if path is not None:
            number = added[path] = added.get(path, -1) + 1
            made.add(path, number)
        elif made:
            where, number = made.take()
            served.setdefault(where, []).append(number)
    assert served == {path: list(range(last + 1)) for path, last in added.items()}
    assert (len(made), made.weight) == (0, 0)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=6))
def test_while_lanes_are_busy_none_is_ahead_by_more_than_one(fills: list[int]) -> None:
    made = lanes(*(((("acc", "env", str(lane))), count) for lane, count in enumerate(fills)))
    served: Counter[Path] = Counter({("acc", "env", str(lane)): 0 for lane in range(len(fills))})
    for _ in range(min(fills) * len(fills)):
        served[made.take()[0]] += 1
        assert max(served.values()) - min(served.values()) <= 1
