"""Discoveries of one run wait for the one under way, whatever becomes of that (docs/ARCHITECTURE.md)."""

from apps.engine.store.client import Argument
from apps.engine.store.views import Item
from tests.integration.engine.queue_world import World


async def under_way(world: World) -> tuple[Item, Item]:
    """Version 1, two parallel steps: (the discovery after the first, under way; the second step)."""
    await world.schedule("r1")
    item, _ = await world.lease_one()
    await world.commit(item, "U", "P", "a", "0", "P", "b", "0", version=1)
    first, second = await world.lease()
    await world.commit(first.item, "S", first.item.step_id, b"1", "0")
    discovery, _ = await world.lease_one()
    assert discovery.kind == "edge"
    return discovery, second.item


async def waiting(world: World) -> tuple[Item, Item]:
    """(the discovery under way, its successor that waits)."""
    discovery, second = await under_way(world)
    await world.commit(second, "S", second.step_id, b"2", "0")
    assert await world.lease() == []
    run = await world.hash("run:r1")
    assert run["dl"] == discovery.id
    return discovery, discovery._replace(id=run["dq"])


async def stacks(world: World) -> list[tuple[str, list[str]]]:
    return [(leased.item.id, leased.state.stack) for leased in await world.lease()]


async def test_a_discovery_that_is_tried_again_lets_its_successor_go(world: World) -> None:
    discovery, successor = await waiting(world)
    await world.commit(discovery, "K", "R", world.now + 15_000, 1, "")
    assert await stacks(world) == [(successor.id, ["a", "b"])]
    assert await world.lease() == []
    world.advance(15_000)
    again, _ = await world.lease_one()
    assert (again.id, again.attempt) == (discovery.id, 1)


async def test_a_discovery_whose_worker_is_lost_lets_its_successor_go(world: World) -> None:
    discovery, successor = await waiting(world)
    await world.queue.library.call("sweep", world.now + 20_001, 100)
    assert sorted(item_id for item_id, _ in await stacks(world)) == sorted([discovery.id, successor.id])


async def test_a_discovery_that_goes_on_leaves_the_next_request_to_its_successor(world: World) -> None:
    discovery, successor = await waiting(world)
    result = await world.commit(discovery, "S", "c", b"3", "0", go_on=True)
    assert result.next_item is None
    assert await stacks(world) == [(successor.id, ["a", "b", "c"])]
    assert await world.lease() == []


async def test_a_discovery_serves_all_that_finish_before_it_begins(world: World) -> None:
    await world.schedule("r1")
    item, _ = await world.lease_one()
    plans: list[Argument] = [part for step in "abcdef" for part in ("P", step, "0")]
    await world.commit(item, "U", *plans, version=1)
    for leased in await world.lease():
        await world.commit(leased.item, "S", leased.item.step_id, b"1", "0")
    ((_, stack),) = await stacks(world)
    assert sorted(stack) == list("abcdef")


async def test_a_wake_up_during_a_discovery_waits_for_it(world: World) -> None:
    discovery, second = await under_way(world)
    wait = ("W", "w", "r1.w", "app/x", "", "*", "*", "1", world.now + 60_000, "0")
    await world.commit(second, "Z", "nap", world.now + 50, "0", b"", *wait)
    world.advance(50)
    await world.queue.library.call("tick", world.now, 100)
    await world.queue.library.call("resume_pause", world.now, "r1.w", b"1", b"")
    assert await world.lease() == []
    await world.commit(discovery, "E", 100)
    ((_, stack),) = await stacks(world)
    assert stack == ["a", "nap", "w"]


async def test_a_successor_that_waited_long_enough_becomes_the_one_under_way(world: World) -> None:
    discovery, successor = await waiting(world)
    world.advance(250)
    assert (await world.lease_one()).item.id == successor.id
    assert (await world.hash("run:r1"))["dl"] == successor.id
    await world.commit(discovery, "E", 100)
    assert (await world.hash("run:r1"))["dl"] == successor.id
    await world.commit(successor._replace(token=(await world.hash(f"i:{successor.id}"))["lt"]), "F", 0)
    assert await world.keys() == set()
