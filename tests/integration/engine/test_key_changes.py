"""Limits and keys that change while items wait (spec 02, 3.6): nothing is lost, the present rules hold."""

from collections.abc import Iterable

import pytest

from apps.engine.flow.keys import KeyReader
from apps.engine.flow.leaves import find_leaf
from apps.engine.functions import ConcurrencyLimit, FunctionSpec
from apps.engine.store.queue import Unkeyed
from tests.integration.engine.flow_world import (
    at_once,
    cancel,
    finish,
    holders,
    in_leaf,
    look_at_all,
    run_ids,
    sweep,
    tick,
)
from tests.integration.engine.queue_world import PREFIX, World

A, SHARED = "c:f:fn:a", "c:f:fn:shared"
GROUP = ("Q", 2, "a", "b", "P", "a", "0", "P", "b", "0")


def in_new_leaf(bucket: str) -> tuple[str, str, str, str]:
    flow = in_leaf(bucket, kv="v2")
    return flow.kv, flow.leaf, flow.gates, ""


async def give_new_keys(world: World, items: Iterable[Unkeyed], bucket: str = "c:f:fn:new") -> None:
    for unkeyed in items:
        assert await world.queue.rekey(unkeyed, *in_new_leaf(bucket))


async def served(world: World, limit: int = 100) -> list[str]:
    """The runs that may go once all who wait have looked again, about `limit` of them a call."""
    while await tick(world, limit) == world.now:
        pass
    return await world.runs(100)


async def test_a_raised_limit_wakes_what_waits(world: World) -> None:
    await world.configure("fn", keys="v1", key_limits=(1,))
    for number in range(4):
        await world.schedule(f"r{number}", flow=in_leaf(A))
    assert await world.runs() == ["r0"]
    await world.configure("fn", keys="v1", key_limits=(3,))
    assert await served(world) == ["r1", "r2"]


async def test_a_raised_limit_wakes_one_queue_after_another(world: World) -> None:
    await world.configure("fn", keys="v1", key_limits=(1, 9))
    for number in range(9):
        for copy in "xy":
            await world.schedule(f"{copy}{number}", flow=in_leaf(SHARED, f"c:f:fn:{number}"))
    assert await world.runs() == ["x0"]
    await world.configure("fn", keys="v1", key_limits=(9, 9))
    assert sorted(await served(world)) == ["x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8"]


async def test_a_lowered_limit_interrupts_nothing_and_admits_nothing_until_it_is_kept(world: World) -> None:
    await world.configure("fn", keys="v1", key_limits=(3,))
    for number in range(4):
        await world.schedule(f"r{number}", flow=in_leaf(A))
    running = await world.lease()
    assert run_ids(running) == ["r0", "r1", "r2"]
    await world.configure("fn", keys="v1", key_limits=(1,))
    await finish(world, running[0])
    assert await served(world) == []
    await finish(world, running[1])
    assert await served(world) == []
    await finish(world, running[2])
    assert await served(world) == ["r3"]


async def test_work_after_a_change_is_bounded_and_ends_although_all_stay_blocked(world: World) -> None:
    """A function with 500 keys of which each has one running and one waiting is configured anew."""
    await world.configure("fn", keys="v1", key_limits=(1,))
    await at_once(
        world.schedule(f"r{number}{copy}", flow=in_leaf(f"c:f:fn:{number}"))
        for copy in "xy"
        for number in range(500)
    )
    await look_at_all(world)
    await world.configure("fn", keys="v1", key_limits=(1,))
    ticks = 0
    while await tick(world, 20) == world.now:
        ticks += 1
        assert await world.client.execute("ZCARD", f"{PREFIX}:q:f:fn") < 100
        assert await world.runs(100) == []
    assert 5 < ticks < 50
    await world.configure("fn", keys="v1", key_limits=(2,))
    woken: list[str] = []
    while len(woken) < 500:
        await tick(world, 20)
        woken += await world.runs(100)
    assert sorted(woken) == sorted(f"r{number}y" for number in range(500))


async def test_without_keys_only_the_function_limit_is_left(world: World) -> None:
    await world.configure("fn", limit=3, keys="v1", key_limits=(1,))
    for number in range(4):
        await world.schedule(f"r{number}", flow=in_leaf(A))
    assert await world.runs() == ["r0"]
    await world.configure("fn", limit=3)
    assert await served(world) == ["r1", "r2"]
    assert await world.zset("r:f:fn") == ["000000000000004"]
    assert await world.hash("run:r3") == {
        key: value
        for key, value in (await world.hash("run:r3")).items()
        if key not in ("lf", "kv", "gb", "kd")
    }


async def test_a_new_key_holds_for_runs_that_were_queued_without(world: World) -> None:
    for number in range(3):
        await world.schedule(f"r{number}")
    await world.configure("fn", keys="v2", key_limits=(1,))
    batch = await world.queue.lease(20)
    assert batch.leased == []
    assert [unkeyed.run_id for unkeyed in batch.unkeyed] == ["r0", "r1", "r2"]
    assert {(unkeyed.function_id, unkeyed.events) for unkeyed in batch.unkeyed} == {("fn", b'[{"data":{}}]')}
    assert await holders(world, "f:fn") == 0
    await give_new_keys(world, batch.unkeyed)
    leased = await world.lease_one()
    assert (leased.item.run_id, leased.item.generation, leased.item.attempt) == ("r0", 1, 0)
    await finish(world, leased)
    assert await world.runs() == ["r1"]


async def test_another_key_holds_for_runs_that_wait_at_the_former(world: World) -> None:
    await world.configure("fn", keys="v1", key_limits=(1,))
    for number in range(4):
        await world.schedule(f"r{number}", flow=in_leaf(A))
    await world.lease_one()
    assert await world.lease() == []
    await world.configure("fn", keys="v2", key_limits=(2,))
    await tick(world)
    batch = await world.queue.lease(20)
    assert (batch.leased, [unkeyed.run_id for unkeyed in batch.unkeyed]) == ([], ["r1", "r2", "r3"])
    await give_new_keys(world, batch.unkeyed)
    assert await world.runs() == ["r1", "r2"]


async def test_another_expression_with_the_same_value_keeps_its_limit(world: World) -> None:
    """The bucket is the same, and so would be the leaf if it were not for the version of the keys."""

    def keyed_by(field: str) -> FunctionSpec:
        limit = ConcurrencyLimit(1, f"event.data.{field}", "env")
        return FunctionSpec(
            "fn", "app-fn", "Fn", "app", "app", "env", "acc", 1, "http://x", concurrency=(limit,)
        )

    def leaf_of(field: str) -> tuple[str, str, str]:
        leaf = find_leaf(keyed_by(field), KeyReader(lambda: {"data": {"a": "x", "b": "x"}}))
        assert leaf is not None
        return leaf.version, leaf.name, leaf.gates

    version, name, gates = leaf_of("a")
    flow = in_leaf(kv=version)
    flow.leaf, flow.gates = name, gates
    await world.configure("fn", keys=version, key_limits=(1,))
    for number in range(3):
        await world.schedule(f"r{number}", flow=flow)
    first = await world.lease_one()
    new_version, new_name, new_gates = leaf_of("b")
    assert (new_version != version, new_gates) == (True, gates)
    await world.configure("fn", keys=new_version, key_limits=(1,))
    await tick(world)
    for unkeyed in (await world.queue.lease(20)).unkeyed:
        assert await world.queue.rekey(unkeyed, new_version, new_name, new_gates, "")
    assert await world.lease() == []
    await finish(world, first)
    assert await world.runs() == ["r1"]


async def test_a_worker_that_dies_with_an_item_to_be_keyed_loses_nothing(world: World) -> None:
    await world.schedule("r1", start_deadline=world.now + 60_000)
    await world.configure("fn", keys="v2", key_limits=(1,))
    (lost,) = (await world.queue.lease(20)).unkeyed
    world.advance(20_001)
    await sweep(world)
    (unkeyed,) = (await world.queue.lease(20)).unkeyed
    assert not await world.queue.rekey(lost, *in_new_leaf(A))
    await give_new_keys(world, [unkeyed])
    leased = await world.lease_one()
    assert (leased.item.generation, leased.item.attempt) == (1, 0)
    assert leased.state.started_at == world.now
    assert await world.zset("rt") == []


async def test_a_run_that_ends_while_it_is_keyed_leaves_nothing(world: World) -> None:
    await world.schedule("r1")
    await world.configure("fn", keys="v2", key_limits=(1,))
    (unkeyed,) = (await world.queue.lease(20)).unkeyed
    await cancel(world, "r1")
    await give_new_keys(world, [unkeyed])
    assert await world.keys() == set()


@pytest.mark.parametrize("is_swept", [False, True])
async def test_an_item_that_was_leased_during_the_change_comes_back_to_be_keyed(
    world: World, is_swept: bool
) -> None:
    await world.configure("fn", keys="v1", key_limits=(1,))
    await world.schedule("r1", flow=in_leaf(A))
    leased = await world.lease_one()
    await world.configure("fn", keys="v2", key_limits=(1,))
    if is_swept:
        world.advance(20_001)
        await sweep(world)
    else:
        await world.commit(leased.item, "S", "s", b"1", "0", go_on=True)
    assert await holders(world, A) == 0
    (unkeyed,) = (await world.queue.lease(20)).unkeyed
    await give_new_keys(world, [unkeyed])
    assert await world.runs() == ["r1"]
    assert await holders(world, "c:f:fn:new") == 1


async def two_steps(world: World) -> None:
    await world.configure("fn", keys="v1", key_limits=(1,))
    await world.schedule("r1", flow=in_leaf(A))
    await world.commit((await world.lease_one()).item, *GROUP)


async def test_keys_that_change_there_and_back_hold_for_a_retry(world: World) -> None:
    """The run got other keys meanwhile, and its former leaf was forgotten: the retry is keyed anew."""
    await two_steps(world)
    first = await world.lease_one()
    await world.commit(first.item, "R", world.now + 30_000, 1, "")
    await world.configure("fn", keys="v2", key_limits=(1,))
    await give_new_keys(world, (await world.queue.lease(20)).unkeyed)
    second = await world.lease_one()
    await world.commit(second.item, "S", second.item.step_id, b"1", "0")
    await world.client.execute("DEL", f"{PREFIX}:n:{in_leaf(A).leaf}")
    await world.configure("fn", keys="v1", key_limits=(1,))
    world.advance(30_000)
    batch = await world.queue.lease(20)
    assert (batch.leased, [unkeyed.item_id for unkeyed in batch.unkeyed]) == ([], [first.item.id])


async def test_keys_that_change_there_and_back_hold_for_a_continuation(world: World) -> None:
    await two_steps(world)
    first = await world.lease_one()
    await world.configure("fn", keys="v2", key_limits=(1,))
    await tick(world)
    await give_new_keys(world, (await world.queue.lease(20)).unkeyed)
    await world.configure("fn", keys="v1", key_limits=(1,))
    result = await world.commit(first.item, "S", first.item.step_id, b"1", "0", "D", go_on=True)
    assert (result.outcome, result.next_item) == ("ok", None)
    assert await holders(world, "c:f:fn:new") == 0
