"""Throttle (spec 02, 4.1): starts at the times that the formula says, to the millisecond."""

import itertools
from collections import deque
from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.engine.flow.limits import throttle_times
from apps.engine.functions import Throttle
from tests.integration.engine.flow_world import cancel, finish, holders, in_leaf, run_ids, sweep
from tests.integration.engine.queue_world import PREFIX, World

T = "t:fn:"
ONE_IN_10_S = throttle_times(Throttle(1, 10_000, burst=0))
_numbers = itertools.count()


def formula(arrivals: Sequence[int], throttle: Throttle) -> list[int]:
    """When starts that arrive in this order may begin; times are whole ms."""
    interval = Fraction(throttle.period_ms, throttle.limit)
    tolerance = interval * (throttle.limit + throttle.burst)
    stored, clock = Fraction(0), 0
    starts: list[int] = []
    for arrival in arrivals:
        clock = max(clock, arrival)
        while clock < max(stored, Fraction(clock)) + interval - tolerance:
            clock += 1
        stored = max(stored, Fraction(clock)) + interval
        starts.append(clock)
    return starts


async def starts(world: World, arrivals: Sequence[int], fn: str, bucket: str) -> list[int]:
    """When the queue starts runs that arrive at these times, looked at only when it says that it is time."""
    began, coming, times = world.now, deque(arrivals), list[int]()
    due: int | None = None
    while len(times) < len(arrivals):
        world.now = min(time for time in (due, began + coming[0] if coming else None) if time is not None)
        while coming and began + coming[0] == world.now:
            coming.popleft()
            await world.schedule(f"run{next(_numbers)}", fn, flow=in_leaf(t=bucket, fn=fn))
        batch = await world.queue.lease(100)
        times += [world.now - began] * len(batch.leased)
        due = batch.next_due_at
    return times


async def test_the_vector_of_the_specification(world: World) -> None:
    await world.configure("fn", keys="v1", throttle=throttle_times(Throttle(2, 4_000, burst=1)))
    assert await starts(world, [0] * 7, "fn", T) == [0, 0, 0, 2_000, 4_000, 6_000, 8_000]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    throttle=st.builds(
        Throttle,
        limit=st.integers(1, 20),
        period_ms=st.integers(1_000, 60_000),
        burst=st.integers(0, 5),
    ),
    gaps=st.lists(st.one_of(st.just(0), st.integers(0, 20_000)), min_size=1, max_size=25),
)
async def test_starts_follow_the_formula(world: World, throttle: Throttle, gaps: list[int]) -> None:
    fn = f"fn{next(_numbers)}"
    await world.configure(fn, keys="v1", throttle=throttle_times(throttle))
    arrivals = list(itertools.accumulate(gaps))
    assert await starts(world, arrivals, fn, f"t:{fn}:") == formula(arrivals, throttle)


@pytest.mark.parametrize("limits", [{"limit": 1}, {"key_limits": (1,)}], ids=["function", "key"])
async def test_a_start_that_concurrency_blocks_consumes_nothing(
    world: World, limits: dict[str, int | tuple[int]]
) -> None:
    """Appendix B.2: runs of 25 s start at 0, 25 and 50 s."""
    await world.configure("fn", keys="v1", throttle=ONE_IN_10_S, **limits)  # type: ignore[arg-type]  # either
    for number in range(3):
        await world.schedule(f"r{number}", flow=in_leaf("c:f:fn:a", t=T))
    for number in range(3):
        leased = await world.lease_one()
        assert leased.item.run_id == f"r{number}"
        world.advance(15_000)
        assert await world.lease() == []
        world.advance(10_000)
        await finish(world, leased)


async def test_a_start_whose_lease_is_lost_consumes_once(world: World) -> None:
    await world.configure("fn", keys="v1", throttle=throttle_times(Throttle(1, 100_000, burst=1)))
    for number in range(3):
        await world.schedule(f"r{number}", score=world.now + number, flow=in_leaf(t=T))
    await world.lease_one()
    world.advance(20_001)
    await sweep(world)
    assert await world.runs() == ["r0", "r1"]


async def test_retries_and_steps_are_not_throttled(world: World) -> None:
    await world.configure("fn", keys="v1", throttle=ONE_IN_10_S)
    await world.schedule("r1", flow=in_leaf(t=T))
    await world.schedule("r2", flow=in_leaf(t=T))
    start = await world.lease_one()
    await world.commit(start.item, "R", world.now, 1, "")
    retry = await world.lease_one()
    assert (retry.item.run_id, retry.item.attempt) == ("r1", 1)
    await world.commit(retry.item, "S", "s1", b"1", "0")
    step = await world.lease_one()
    assert (step.item.run_id, step.item.kind) == ("r1", "edge")
    assert await world.lease() == []


async def test_a_start_that_was_dispatched_before_there_was_a_throttle_is_not_throttled_again(
    world: World,
) -> None:
    await world.schedule("r1")
    await world.commit((await world.lease_one()).item, "R", world.now, 1, "")
    await world.configure("fn", keys="v1", throttle=ONE_IN_10_S)
    await world.schedule("r2", flow=in_leaf(t=T))
    batch = await world.queue.lease(20)
    assert run_ids(batch.leased) == ["r2"]
    (unkeyed,) = batch.unkeyed
    assert await world.queue.rekey(unkeyed, "v1", in_leaf(t=T).leaf, in_leaf(t=T).gates, "")
    assert await world.runs() == ["r1"]


async def test_each_key_has_its_own_throttle(world: World) -> None:
    await world.configure("fn", keys="v1", throttle=ONE_IN_10_S)
    for run in ("a1", "a2", "b1"):
        await world.schedule(run, flow=in_leaf(t=f"{T}{run[0]}"))
    assert await world.runs() == ["a1", "b1"]
    world.advance(9_999)
    assert await world.lease() == []
    world.advance(1)
    assert await world.runs() == ["a2"]


async def test_many_leaves_at_one_throttle_wake_one_at_a_time(world: World) -> None:
    await world.configure("fn", keys="v1", key_limits=(1,), throttle=ONE_IN_10_S)
    for number in range(8):
        await world.schedule(f"r{number}", flow=in_leaf(f"c:f:fn:{number}", t=T))
    waiting = f"{PREFIX}:w:{T}|fn"
    assert await world.runs() == ["r0"]
    for number in range(1, 8):
        assert await world.client.execute("ZCARD", waiting) == 8 - number
        world.advance(10_000)
        assert await world.runs() == [f"r{number}"]
    assert await world.client.execute("KEYS", f"{PREFIX}:w*") == [f"{PREFIX}:wake".encode()]


async def test_a_leaf_that_used_its_turn_and_goes_on_with_steps_does_not_keep_the_next(world: World) -> None:
    await world.configure("fn", keys="v1", key_limits=(9,), throttle=throttle_times(Throttle(1, 10_000)))
    busy, other = in_leaf("c:f:fn:busy", t=T), in_leaf("c:f:fn:other", t=T)
    await world.schedule("older", flow=busy)
    await world.schedule("o1", flow=other)
    older, leased = await world.lease()
    for number in range(5):
        await world.commit(leased.item, "S", f"s{number}", b"1", "0")
        leased = await world.lease_one()
    await finish(world, leased)
    await world.commit(older.item, *plan("abcdefgh"))
    await world.schedule("new", score=1, flow=busy)
    await world.schedule("o2", flow=other)
    assert run_ids(await world.lease(3)) == ["older"] * 3
    assert await world.zset(f"w:{T}|fn") == [busy.leaf, other.leaf]
    world.advance(10_000)
    assert run_ids(await world.lease(2)) == ["new", "older"]
    world.advance(10_000)
    assert sorted(run_ids(await world.lease(2))) == ["o2", "older"]


def plan(steps: str) -> list[str]:
    return [part for step in steps for part in ("P", step, "0")]


async def test_a_turn_at_the_throttle_passes_to_the_next_while_its_leaf_is_busy_with_steps(
    world: World,
) -> None:
    """The start that has waited longest is cancelled; its leaf has steps to run all the time."""
    await world.configure("fn", keys="v1", key_limits=(9,), throttle=ONE_IN_10_S)
    busy = in_leaf("c:f:fn:busy", t=T)
    await world.schedule("older", flow=busy)
    first = await world.lease_one()
    await world.schedule("cancelled", flow=busy)
    await world.schedule("other", flow=in_leaf("c:f:fn:other", t=T))
    assert await world.lease() == []
    await cancel(world, "cancelled")
    await world.commit(first.item, "Q", 3, "a", "b", "c", *plan("abc"))
    world.advance(10_000)
    assert run_ids(await world.lease(2)) == ["older", "other"]


async def test_a_changed_throttle_holds_for_starts_that_wait(world: World) -> None:
    await world.configure("fn", keys="v1", throttle=ONE_IN_10_S)
    for number in range(3):
        await world.schedule(f"r{number}", flow=in_leaf(t=T))
    assert await world.runs() == ["r0"]
    await world.configure("fn", keys="v1", throttle=throttle_times(Throttle(1, 12_000, burst=1)))
    await world.queue.library.call("tick", world.now, 100)
    assert await world.runs() == ["r1"]
    world.advance(9_999)
    assert await world.lease() == []
    world.advance(1)
    assert await world.runs() == ["r2"]
    assert await holders(world, "f:fn") == 3
