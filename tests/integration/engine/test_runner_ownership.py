"""One runner at a time, and what its successor finds (spec 02, 11.2)."""

import asyncio
import time

import pytest

from apps.engine.keys import RUNNER_GROUP
from apps.engine.records import EventHandled
from apps.engine.runner.ownership import Ownership
from apps.engine.runner.service import Runner
from apps.engine.store.functions import FunctionCache
from apps.engine.store.queue import Queue
from tests.integration.engine.engine_world import KEYS, EngineWorld, function


def another_runner(world: EngineWorld) -> Runner:
    return Runner(Queue(world.client, KEYS.prefix), FunctionCache(world.client, KEYS), KEYS)


async def until(world: EngineWorld, count: int) -> list[EventHandled]:
    async with asyncio.timeout(15):
        while len(handled := await world.records(EventHandled)) < count:
            await asyncio.sleep(0.01)
    return handled


async def test_a_second_runner_stands_by_and_takes_over(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", "app/go"))
    stop_first, stop_second = asyncio.Event(), asyncio.Event()
    first = asyncio.ensure_future(world.runner.run(stop_first))
    try:
        await world.send("app/go")
        await until(world, 1)
        owner = await world.client.execute("GET", f"{KEYS.prefix}:owner:runner")
        second = asyncio.ensure_future(another_runner(world).run(stop_second))
        await world.send("app/go")
        await until(world, 2)
        assert await world.client.execute("GET", f"{KEYS.prefix}:owner:runner") == owner
        stop_first.set()
        await first
        await world.send("app/go")
        await until(world, 3)
        assert await world.client.execute("GET", f"{KEYS.prefix}:owner:runner") != owner
    finally:
        stop_first.set()
        stop_second.set()
        await asyncio.gather(first, second)
    assert await world.client.execute("GET", f"{KEYS.prefix}:owner:runner") is None


async def test_what_a_dead_runner_left_comes_first(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", "app/go"))
    left = [await world.send("app/go") for _ in range(3)]
    await world.read()
    new = [await world.send("app/go") for _ in range(2)]
    stop = asyncio.Event()
    running = asyncio.ensure_future(world.runner.run(stop))
    try:
        handled = await until(world, 5)
    finally:
        stop.set()
        await running
    assert [record.event_id for record in handled] == left + new
    assert await world.pending() == 0


async def test_a_pending_entry_that_was_deleted_is_passed_over(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", "app/go"))
    await world.send("app/go")
    (deleted,) = await world.read()
    await world.client.execute("XDEL", KEYS.events, deleted.stream_id)
    kept = await world.send("app/go")
    await world.read()
    stop = asyncio.Event()
    running = asyncio.ensure_future(world.runner.run(stop))
    try:
        handled = await until(world, 1)
        async with asyncio.timeout(5):
            while await world.pending():
                await asyncio.sleep(0.01)
    finally:
        stop.set()
        await running
    assert [record.event_id for record in handled] == [kept]


async def test_a_runner_whose_lease_was_taken_steps_back(engine_world: EngineWorld) -> None:
    world = engine_world
    stop = asyncio.Event()
    running = asyncio.ensure_future(world.runner.run(stop))
    async with asyncio.timeout(10):
        while not await world.client.execute("EXISTS", f"{KEYS.prefix}:owner:runner"):
            await asyncio.sleep(0.01)
        await world.client.execute("SET", f"{KEYS.prefix}:owner:runner", "another")
        await running
    assert not stop.is_set()
    assert await world.client.execute("GET", f"{KEYS.prefix}:owner:runner") == b"another"
    groups = await world.client.execute("XINFO", "GROUPS", KEYS.events)
    assert [group[1] for group in groups] == [RUNNER_GROUP.encode()]


async def test_a_lease_that_was_lost_is_not_taken_back(engine_world: EngineWorld) -> None:
    """Another may have held it meanwhile, and handled what its former holder has read."""
    key = f"{KEYS.prefix}:owner:test"
    ownership = Ownership(engine_world.client, key)
    assert await ownership.acquire()
    await ownership._renew()
    assert ownership.is_held
    await engine_world.client.execute("DEL", key)
    await ownership._renew()
    assert not ownership.is_held
    await ownership._renew()
    assert await engine_world.client.execute("GET", key) is None
    assert await ownership.acquire()
    assert ownership.is_held


async def test_a_holder_that_stood_still_holds_nothing(
    engine_world: EngineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    ownership = Ownership(engine_world.client, f"{KEYS.prefix}:owner:test")
    assert await ownership.acquire()
    awake = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: awake + 3.1)
    assert not ownership.is_held
