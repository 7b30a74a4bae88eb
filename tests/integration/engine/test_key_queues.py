"""Concurrency keys (spec 02, 3.2 to 3.5): turns, shared units, releases and wake-ups."""

from collections import Counter

import pytest

from tests.integration.engine.flow_world import (
    FINISH,
    at_once,
    cancel,
    finish,
    holders,
    in_leaf,
    look_at_all,
    run_ids,
    sweep,
)
from tests.integration.engine.queue_world import PREFIX, World

A, B, SHARED = "c:f:fn:a", "c:f:fn:b", "c:e:env:shared"
STEP = ("S", "s1", b"1", "0")


@pytest.fixture
async def one_each(world: World) -> World:
    """One at a time for each key."""
    await world.configure("fn", keys="v1", key_limits=(1,))
    return world


async def test_a_busy_key_does_not_hold_up_another(one_each: World) -> None:
    world = one_each
    await at_once(world.schedule(f"a{number}", flow=in_leaf(A)) for number in range(5_000))
    await world.schedule("b", flow=in_leaf(B))
    assert sorted(await world.runs()) == ["a0", "b"]


async def test_within_a_key_the_order_is_by_score(world: World) -> None:
    await world.configure("fn", keys="v1", key_limits=(9,))
    for run, score in (("r3", 3), ("r1", 1), ("r4", 4), ("r2", 2)):
        await world.schedule(run, score=score, flow=in_leaf(A))
    assert await world.runs() == ["r1", "r2", "r3", "r4"]


async def test_a_step_of_an_older_run_precedes_a_start_and_a_newer_one_follows(one_each: World) -> None:
    world = one_each
    await world.schedule("old", score=2, flow=in_leaf(A))
    first = await world.lease_one()
    await world.schedule("new", score=3, flow=in_leaf(A))
    await world.commit(first.item, *STEP)
    step = await world.lease_one()
    assert (step.item.run_id, step.item.kind) == ("old", "edge")
    await world.schedule("older", score=1, flow=in_leaf(A))
    await world.commit(step.item, "S", "s2", b"1", "0")
    assert await world.runs() == ["older"]


async def test_keys_take_turns(world: World) -> None:
    await world.configure("fn", keys="v1", key_limits=(99,))
    for key in "abc":
        for number in range(10):
            await world.schedule(f"{key}{number}", flow=in_leaf(f"c:f:fn:{key}"))
    assert Counter(run[0] for run in await world.runs(12)) == {"a": 4, "b": 4, "c": 4}


async def test_new_keys_do_not_overtake_one_that_waits(world: World) -> None:
    """Also when its name comes last: each run has a key of its own, and more come than are leased."""
    await world.configure("fn", keys="v1", key_limits=(1,))
    for run in ("z1", "z2", "y", "x"):
        await world.schedule(run, flow=in_leaf(f"c:f:fn:{run}"))
    served = [await world.lease_one()]
    for run in ("c", "b", "a"):
        await world.schedule(run, flow=in_leaf(f"c:f:fn:{run}"))
        served.append(await world.lease_one())
    assert run_ids(served) == ["z1", "z2", "y", "x"]


async def test_both_keys_of_a_run_must_have_room(world: World) -> None:
    await world.configure("fn", keys="v1", key_limits=(2, 1))
    city, user = "c:f:fn:city", "c:f:fn:user"
    await world.schedule("r1", flow=in_leaf(city, user))
    await world.schedule("r2", flow=in_leaf(city, user))
    await world.schedule("r3", flow=in_leaf(city, "c:f:fn:other"))
    await world.schedule("r4", flow=in_leaf(city, "c:f:fn:third"))
    first, third = await world.lease()
    assert run_ids([first, third]) == ["r1", "r3"]
    await finish(world, third)
    assert await world.runs() == ["r4"]
    await finish(world, first)
    assert await world.runs() == ["r2"]


@pytest.mark.parametrize(("scope", "envs"), [("e:env", ("env", "env")), ("a:acc", ("env", "env2"))])
async def test_functions_share_a_bucket_each_with_its_own_limit(
    world: World, scope: str, envs: tuple[str, str]
) -> None:
    bucket = f"c:{scope}:x"
    for fn, limit, env in (("A", 5, envs[0]), ("B", 2, envs[1])):
        await world.configure(fn, env=env, keys="v1", key_limits=(limit,))
        for number in range(6):
            await world.schedule(f"{fn}{number}", fn, env=env, flow=in_leaf(bucket, fn=fn))
    first = await world.lease()
    assert Counter(run[0] for run in run_ids(first)) == {"A": 4, "B": 1}
    ours = [leased for leased in first if leased.item.function_id == "A"]
    await finish(world, ours[0])
    assert await world.runs() == ["A4"]  # 4 are held: B may not
    (theirs,) = [leased for leased in first if leased.item.function_id == "B"]
    await finish(world, theirs)
    assert await world.runs() == ["A5"]
    assert await holders(world, bucket) == 5


async def test_three_of_one_block_the_other_and_two_of_the_other_leave_it_three(world: World) -> None:
    for fn, limit in (("A", 5), ("B", 2)):
        await world.configure(fn, keys="v1", key_limits=(limit,))
    for number in range(3):
        await world.schedule(f"A{number}", "A", flow=in_leaf(SHARED, fn="A"))
    blocking = await world.lease()
    await world.schedule("B0", "B", flow=in_leaf(SHARED, fn="B"))
    await world.schedule("B1", "B", flow=in_leaf(SHARED, fn="B"))
    assert await world.lease() == []
    for leased in blocking:
        await finish(world, leased)
    assert await world.runs() == ["B0", "B1"]
    for number in range(6):
        await world.schedule(f"A{number}", "A", flow=in_leaf(SHARED, fn="A"))
    assert await world.runs() == ["A0", "A1", "A2"]


async def test_a_function_at_its_own_limit_does_not_swallow_a_wake_up(world: World) -> None:
    """A waits at the shared bucket and is full itself when a unit is given back: B takes it."""
    await world.configure("A", limit=1, keys="v1", key_limits=(1,))
    await world.configure("B", keys="v1", key_limits=(1,))
    await world.schedule("holder", "B", flow=in_leaf(SHARED, fn="B"))
    holder = await world.lease_one()
    await world.schedule("A0", "A", flow=in_leaf(SHARED, fn="A"))
    await world.schedule("B0", "B", flow=in_leaf(SHARED, fn="B"))
    assert await world.lease() == []
    await world.schedule("A1", "A", flow=in_leaf("c:e:env:free", fn="A"))
    assert await world.runs() == ["A1"]
    await finish(world, holder)
    assert await world.runs() == ["B0"]


async def test_a_woken_leaf_that_is_blocked_elsewhere_hands_the_wake_up_on(world: World) -> None:
    await world.configure("fn", keys="v1", key_limits=(1, 1))
    common, x, y = "c:f:fn:common", "c:f:fn:x", "c:f:fn:y"
    await world.schedule("r1", flow=in_leaf(common, y))
    await world.schedule("r2", flow=in_leaf("c:f:fn:z", x))
    first, _second = await world.lease()
    await world.schedule("r3", flow=in_leaf(common, x))
    await world.schedule("r4", flow=in_leaf(common, "c:f:fn:w"))
    assert await world.lease() == []
    await finish(world, first)
    assert await world.runs() == ["r4"]


async def test_a_woken_leaf_whose_items_were_cancelled_hands_the_wake_up_on(world: World) -> None:
    await world.configure("fn", keys="v1", key_limits=(1, 9))
    for run in ("r1", "r2", "r3"):
        await world.schedule(run, flow=in_leaf(SHARED, f"c:f:fn:{run}"))
    first = await world.lease_one()
    assert await world.lease() == []
    await cancel(world, "r2")
    await finish(world, first)
    assert await world.runs() == ["r3"]


async def test_a_leaf_emptied_after_its_wake_up_hands_it_on(world: World) -> None:
    await world.configure("fn", keys="v1", key_limits=(1, 9))
    for run in ("r1", "r2", "r3"):
        await world.schedule(run, flow=in_leaf(SHARED, f"c:f:fn:{run}"))
    first = await world.lease_one()
    assert await world.lease() == []
    await finish(world, first)
    assert await world.zset("q:f:fn") == [in_leaf(SHARED, "c:f:fn:r2").leaf]
    await cancel(world, "r2")
    assert await world.runs() == ["r3"]


async def test_a_thousand_emptied_leaves_are_passed_over_in_short_calls(world: World) -> None:
    await world.configure("fn", keys="v1", key_limits=(1, 9))
    await world.schedule("holder", flow=in_leaf(SHARED))
    holder = await world.lease_one()
    for number in range(1_001):
        await world.schedule(f"r{number:04}", flow=in_leaf(SHARED, f"c:f:fn:{number:04}"))
    await look_at_all(world)
    for number in range(1_000):
        await cancel(world, f"r{number:04}")
    await finish(world, holder)
    assert await world.client.execute("ZCARD", f"{PREFIX}:w:{SHARED}|fn") == 901
    calls = 0
    while not (found := await world.runs()):
        calls += 1
        await world.queue.library.call("tick", world.now, 100)
    assert (found, calls) == (["r1000"], 10)


async def test_an_emptied_leaf_is_forgotten(one_each: World) -> None:
    world = one_each
    await world.schedule("r1", flow=in_leaf(A))
    await world.schedule("r2", flow=in_leaf(A))
    first = await world.lease_one()
    assert await world.lease() == []
    await cancel(world, "r2")
    await finish(world, first)
    assert await world.lease() == []
    assert await world.client.execute("TTL", f"{PREFIX}:n:{in_leaf(A).leaf}") == 60
    assert await world.keys() == set()
    assert await world.client.execute("KEYS", f"{PREFIX}:w*") == [f"{PREFIX}:wake".encode()]


async def test_the_first_key_of_one_run_is_the_second_of_another(world: World) -> None:
    """Both wait at the same bucket, with limits 1 and 2: the stricter one does not stand before the other."""
    await world.configure("fn", keys="v1", key_limits=(1, 2))
    await world.schedule("r1", flow=in_leaf("c:e:env:p", SHARED))
    await world.schedule("r2", flow=in_leaf("c:e:env:q", SHARED))
    first, _ = await world.lease()
    await world.schedule("strict", flow=in_leaf(SHARED, "c:e:env:s"))
    await world.schedule("lenient", flow=in_leaf("c:e:env:t", SHARED))
    assert await world.lease() == []
    await finish(world, first)
    assert await world.runs() == ["lenient"]


async def test_a_commit_gives_the_unit_back(one_each: World) -> None:
    world = one_each
    await world.schedule("r1", flow=in_leaf(A))
    await world.schedule("r2", flow=in_leaf(A))
    await finish(world, await world.lease_one())
    assert await world.runs() == ["r2"]


async def test_a_retry_gives_the_unit_back(one_each: World) -> None:
    world = one_each
    await world.schedule("r1", flow=in_leaf(A))
    await world.schedule("r2", score=world.now + 1, flow=in_leaf(A))
    await world.commit((await world.lease_one()).item, "R", world.now + 30_000, 1, "")
    assert await world.runs() == ["r2"]


async def test_a_lost_worker_gives_the_unit_back(one_each: World) -> None:
    world = one_each
    await world.schedule("r1", flow=in_leaf(A))
    await world.schedule("r2", score=world.now + 1, flow=in_leaf(A))
    await world.lease_one()
    world.advance(20_001)
    await sweep(world)
    assert await world.runs() == ["r1"]
    assert await holders(world, A) == 1


async def test_a_run_that_is_cancelled_under_way_gives_the_unit_back_when_its_worker_answers(
    one_each: World,
) -> None:
    world = one_each
    await world.schedule("r1", flow=in_leaf(A))
    await world.schedule("r2", flow=in_leaf(A))
    first = await world.lease_one()
    await cancel(world, "r1")
    assert await world.lease() == []
    assert (await world.commit(first.item, *STEP)).outcome == "ended"
    assert await world.runs() == ["r2"]


@pytest.mark.parametrize("operations", [STEP, (*STEP, "D")], ids=["in place", "next item"])
async def test_a_run_that_goes_on_keeps_its_unit(
    one_each: World, operations: tuple[str | bytes, ...]
) -> None:
    world = one_each
    await world.schedule("r1", score=1, flow=in_leaf(A))
    await world.schedule("r2", score=2, flow=in_leaf(A))
    first = await world.lease_one()
    following = (await world.commit(first.item, *operations, go_on=True)).next_item
    assert following is not None
    assert await world.lease() == []
    assert await holders(world, A) == 1
    await world.commit(following, *FINISH)
    assert await world.runs() == ["r2"]
    assert await holders(world, A) == 1


@pytest.mark.parametrize("operations", [STEP, (*STEP, "D")], ids=["in place", "next item"])
async def test_a_run_keeps_its_unit_after_its_empty_leaf_is_forgotten(
    one_each: World, operations: tuple[str | bytes, ...]
) -> None:
    """A step may take longer than an empty leaf lasts; what comes to the leaf later meets its limits."""
    world = one_each
    await world.schedule("r1", flow=in_leaf(A))
    first = await world.lease_one()
    await world.client.execute("DEL", f"{PREFIX}:n:{in_leaf(A).leaf}")
    following = (await world.commit(first.item, *operations, go_on=True)).next_item
    assert following is not None
    assert await holders(world, A) == 1
    await world.schedule("r2", flow=in_leaf(A))
    assert await world.lease() == []
    await world.commit(following, *FINISH)
    assert await world.runs() == ["r2"]


async def test_an_older_run_of_the_key_goes_before_a_continuation(one_each: World) -> None:
    world = one_each
    await world.schedule("new", score=2, flow=in_leaf(A))
    first = await world.lease_one()
    await world.schedule("old", score=1, flow=in_leaf(A))
    assert (await world.commit(first.item, *STEP, go_on=True)).next_item is None
    assert await world.runs() == ["old"]


async def test_a_sleeping_run_holds_no_unit(one_each: World) -> None:
    world = one_each
    await world.schedule("r1", flow=in_leaf(A))
    await world.schedule("r2", flow=in_leaf(A))
    await world.commit((await world.lease_one()).item, "Z", "z", world.now + 1_000, "0", b"")
    assert await world.runs() == ["r2"]
    assert await holders(world, A) == 1
