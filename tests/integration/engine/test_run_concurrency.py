"""Runs in progress (spec 02, 3.7), priority (4.5) and the account's default limit."""

import pytest

from apps.engine.flow.admission import priority_ms
from apps.engine.flow.keys import KeyReader
from apps.engine.flow.policy import FlowPolicy
from apps.engine.functions import FunctionSpec
from tests.integration.engine.flow_world import cancel, finish, holders, in_leaf, run_ids, sweep, tick
from tests.integration.engine.queue_world import World

R1, R2 = "r:fn:0:", "r:fn:1:"


@pytest.fixture
async def one_run(world: World) -> World:
    """One run in progress at a time; r1 is under way, r2 waits."""
    await world.configure("fn", keys="v1", run_limits=(1,))
    await world.schedule("r1", flow=in_leaf(r1=R1))
    await world.schedule("r2", flow=in_leaf(r1=R1))
    return world


async def test_a_run_is_in_progress_from_its_first_lease_to_its_end(one_run: World) -> None:
    world = one_run
    assert await holders(world, R1) == 0
    start = await world.lease_one()
    assert await holders(world, R1) == 1
    await world.commit(start.item, "S", "s1", b"1", "0")
    step = await world.lease_one()
    assert step.item.run_id == "r1"
    assert await world.lease() == []
    await finish(world, step)
    assert await world.runs() == ["r2"]
    assert await holders(world, R1) == 1


async def test_a_sleeping_run_is_in_progress(one_run: World) -> None:
    world = one_run
    await world.commit((await world.lease_one()).item, "Z", "z", world.now + 60_000, "0", b"")
    assert await world.lease() == []
    world.advance(60_000)
    assert await world.runs() == ["r1"]


async def test_a_retried_and_a_lost_start_hold_one_unit(one_run: World) -> None:
    world = one_run
    await world.commit((await world.lease_one()).item, "R", world.now, 1, "")
    assert await world.runs() == ["r1"]
    world.advance(20_001)
    await sweep(world)
    assert await world.runs() == ["r1"]
    assert await holders(world, R1) == 1


async def test_a_cancelled_run_gives_its_unit_back_once(one_run: World) -> None:
    world = one_run
    await world.schedule("r3", flow=in_leaf(r1=R1))
    first = await world.lease_one()
    await cancel(world, "r1")
    second = await world.lease_one()
    assert second.item.run_id == "r2"
    assert (await world.commit(first.item, "F", 0)).outcome == "ended"
    assert await world.lease() == []
    assert await holders(world, R1) == 1
    await finish(world, second)
    assert await world.runs() == ["r3"]


async def test_a_run_that_was_cancelled_before_it_began_has_no_unit_to_give(one_run: World) -> None:
    world = one_run
    first = await world.lease_one()
    await cancel(world, "r2")
    assert await holders(world, R1) == 1
    await finish(world, first)
    assert await holders(world, R1) == 0


async def test_each_key_counts_by_itself_and_both_limits_hold(world: World) -> None:
    await world.configure("fn", keys="v1", run_limits=(1, 2))
    for run in ("a1", "a2", "b1", "c1"):
        await world.schedule(run, flow=in_leaf(r1=f"{R1}{run[0]}", r2=R2))
    first, second = await world.lease()
    assert run_ids([first, second]) == ["a1", "b1"]
    await finish(world, second)
    assert await world.runs() == ["c1"]
    await finish(world, first)
    assert await world.runs() == ["a2"]


async def test_a_raised_limit_lets_waiting_runs_begin(one_run: World) -> None:
    world = one_run
    await world.schedule("r3", flow=in_leaf("c:f:fn:x", r1=R1))
    assert await world.runs() == ["r1"]
    await world.configure("fn", keys="v1", run_limits=(3,))
    await tick(world)
    assert sorted(await world.runs()) == ["r2", "r3"]


async def test_a_freed_unit_passes_a_leaf_that_has_only_steps_to_run(world: World) -> None:
    """Two leaves share the limit; the one that waits first has lost its start and always has steps."""
    await world.configure("fn", keys="v1", run_limits=(2,))
    busy = in_leaf("c:f:fn:busy", r1=R1)
    await world.schedule("r1", flow=busy)
    await world.schedule("r2", flow=in_leaf("c:f:fn:b", r1=R1))
    first, second = await world.lease()
    await world.schedule("r3", flow=busy)
    await world.schedule("r4", flow=in_leaf("c:f:fn:c", r1=R1))
    assert await world.lease() == []
    await cancel(world, "r3")
    await world.commit(first.item, "P", "a", "0", "P", "b", "0", "P", "c", "0")
    await finish(world, second)
    assert run_ids(await world.lease(2)) == ["r1", "r4"]


async def test_priority_moves_runs_ahead_and_back(world: World) -> None:
    """Appendix B.6: one at a time; Y by 120 s ahead of X, Z by 30 s behind, an old run before all."""
    await world.configure("fn", limit=1)
    base = world.now

    def factor(value: int) -> int:
        spec = FunctionSpec(
            "fn", "app-fn", "Fn", "app", "app", "env", "acc", 1, "http://x", priority="event.data.p"
        )
        return priority_ms(spec, KeyReader(lambda: {"data": {"p": value}}), FlowPolicy())

    await world.schedule("old", score=base - 120_000)
    executing = await world.lease_one()
    for run, minutes, priority in (("X", 0, 0), ("Y", 1, 120), ("Z", 2, -30)):
        await world.schedule(run, score=base + minutes * 60_000 - factor(priority))
    await world.commit(executing.item, "S", "s1", b"1", "0")
    order = []
    for _ in range(4):
        leased = await world.lease_one()
        order.append(leased.item.run_id)
        await finish(world, leased)
    assert order == ["old", "Y", "X", "Z"]


async def test_functions_without_a_limit_meet_that_of_their_account(world: World) -> None:
    for fn in ("a", "b"):
        await world.configure(fn, account_limit=3, keys="v1", key_limits=(9,))
        for number in range(4):
            await world.schedule(f"{fn}{number}", fn, flow=in_leaf("c:a:acc:x", fn=fn))
    leased = await world.lease()
    assert sorted(run_ids(leased)) == ["a0", "a1", "b0"]
    await finish(world, leased[0])
    assert len(await world.lease()) == 1
    assert await holders(world, "a:acc") == 3
