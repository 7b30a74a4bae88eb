"""Entries of idle lanes are handled beside the batch in hand, and no lane's order suffers from it."""

import asyncio

import pytest

from apps.engine.runner.aside import AsideLimits
from apps.engine.runner.incoming import Incoming
from apps.engine.runner.intake import Limits
from apps.engine.runner.pace import PaceLimits
from apps.engine.runner.service import Runner
from apps.engine.store.client import RedisUnavailable
from tests.integration.engine.engine_world import KEYS, EngineWorld, cancel_on, function
from tests.integration.engine.intake_world import (
    Place,
    another_runner,
    both,
    flood,
    numbers,
    reading,
    running,
    take_all,
    undone,
    until,
    until_none_is_pending,
)

B: Place = ("acc", "env", "app/b")


def limits(lanes: int = 16, of_account: int = 4, seconds: float = 3600.0) -> Limits:
    return Limits(pace=PaceLimits(batch=8), aside=AsideLimits(lanes, of_account, seconds))


async def test_what_comes_for_a_busy_lane_waits_until_it_is_idle(engine_world: EngineWorld) -> None:
    await flood(engine_world, 20)
    async with reading(engine_world, limits()) as intake:
        await until(lambda: intake.held == 20)
        first, _ = await intake.take()
        await flood(engine_world, 1, B)
        assert numbers(await intake.take_aside(), B) == [0]
        await flood(engine_world, 3, B, start=1)
        await until(lambda: intake.held == 12 + 4)
        second, _ = await intake.take()
        assert numbers([*first, *second]) == list(range(16))
        intake.done_aside()
        rest = await take_all(intake)
        assert (numbers(rest), numbers(rest, B)) == ([16, 17, 18, 19], [1, 2, 3])


async def test_a_lane_in_hand_is_not_idle(engine_world: EngineWorld) -> None:
    await flood(engine_world, 1)
    async with reading(engine_world, limits()) as intake:
        await until(lambda: intake.held == 1)
        assert numbers((await intake.take())[0]) == [0]
        await flood(engine_world, 1, start=1)
        await flood(engine_world, 1, B)
        assert numbers(await intake.take_aside(), B) == [0]
        assert numbers((await intake.take())[0]) == [1]


async def test_nothing_goes_aside_from_a_runner_that_waits(engine_world: EngineWorld) -> None:
    async with reading(engine_world, limits()) as intake:
        taking = asyncio.ensure_future(intake.take())
        await flood(engine_world, 1, B)
        async with asyncio.timeout(15):
            assert numbers((await taking)[0], B) == [0]


async def test_an_account_has_few_places_aside(engine_world: EngineWorld) -> None:
    """Its further lanes wait for the next batch, which they begin; another account has places of its own."""
    places: list[Place] = [("acc", "env", f"app/{number}") for number in range(5)]
    other: Place = ("acc2", "env2", "app/a")
    await flood(engine_world, 20)
    async with reading(engine_world, limits(of_account=4)) as intake:
        await until(lambda: intake.held == 20)
        await intake.take()
        for place in [*places, other]:
            await flood(engine_world, 1, place)
        await until(lambda: intake.held == 12 + 6)
        aside = await intake.take_aside()
        assert [numbers(aside, place) for place in [*places, other]] == [[0], [0], [0], [0], [], [0]]
        batch, _ = await intake.take()
        assert (numbers(batch[:1], places[4]), len(batch)) == ([0], 8)


async def test_all_accounts_together_have_few_places_aside(engine_world: EngineWorld) -> None:
    places: list[Place] = [(f"acc{number}", f"env{number}", "app/a") for number in range(3)]
    await flood(engine_world, 20)
    async with reading(engine_world, limits(lanes=2)) as intake:
        await until(lambda: intake.held == 20)
        await intake.take()
        for place in places:
            await flood(engine_world, 1, place)
        await until(lambda: intake.held == 12 + 3)
        aside = await intake.take_aside()
        assert [numbers(aside, place) for place in places] == [[0], [0], []]


async def test_nobody_queues_behind_entries_that_take_long(engine_world: EngineWorld) -> None:
    other: Place = ("acc2", "env2", "app/a")
    await flood(engine_world, 20)
    async with reading(engine_world, limits(seconds=0.0)) as intake:
        await until(lambda: intake.held == 20)
        await intake.take()
        await flood(engine_world, 1, B)
        assert numbers(await intake.take_aside(), B) == [0]
        await flood(engine_world, 1, other)
        await until(lambda: intake.held == 12 + 2)
        assert numbers((await intake.take())[0][:1], other) == [0]


async def test_lanes_join_only_when_none_of_them_is_aside(engine_world: EngineWorld) -> None:
    """A new rule by which B cancels what A starts: of both, what came first is handled first."""
    world = engine_world
    await world.publish(*both())
    await flood(world, 20)
    async with reading(world, limits()) as intake:
        await until(lambda: intake.held == 20)
        await intake.take()
        await flood(world, 1, B)
        assert numbers(await intake.take_aside(), B) == [0]
        await world.publish(function("a", "app/a", cancel=cancel_on("app/b")))
        await intake._routes._functions.refresh()
        taking = asyncio.ensure_future(intake.take())
        assert not (await asyncio.wait({taking}, timeout=0.2))[0]
        intake.done_aside()
        async with asyncio.timeout(15):
            assert numbers((await taking)[0]) == list(range(8, 16))


async def test_what_new_functions_may_order_does_not_go_aside(engine_world: EngineWorld) -> None:
    """B cancels what A starts, by a rule that came after the batch in hand: B is handled after all of A."""
    world = engine_world
    await world.publish(*both())
    await flood(world, 20)
    async with reading(world, limits()) as intake:
        await until(lambda: intake.held == 20)
        first, _ = await intake.take()
        await world.publish(function("a", "app/a", cancel=cancel_on("app/b")))
        await flood(world, 1, B)
        await until(lambda: intake.held == 12 + 1)
        aside = asyncio.ensure_future(intake.take_aside())
        assert not (await asyncio.wait({aside}, timeout=0.2))[0]
        taken = [*first, *await take_all(intake)]
        assert (numbers(taken), numbers(taken[-1:], B)) == (list(range(20)), [0])
        aside.cancel()


async def test_a_lone_event_does_not_wait_for_a_batch_that_hangs(
    engine_world: EngineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, handle, hanging = engine_world, Runner.handle, asyncio.Event()
    await world.publish(*both())

    async def hang(
        self: Runner, batch: list[Incoming], *, is_repeat: bool = False, functions: int | None = None
    ) -> int:
        if numbers(batch):
            await hanging.wait()
        return await handle(self, batch, is_repeat=is_repeat, functions=functions)

    monkeypatch.setattr(Runner, "handle", hang)
    await flood(world, 20)
    async with running(world.runner):
        await until_in_hand(world)
        await flood(world, 1, B)
        async with asyncio.timeout(15):
            while await undone(world) != 20:
                await asyncio.sleep(0.01)
        hanging.set()
        await until_none_is_pending(world)


async def test_what_fails_aside_is_handled_by_the_next_tenure_before_what_follows_it(
    engine_world: EngineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, handle, hanging = engine_world, Runner.handle, asyncio.Event()
    await world.publish(*both())
    handled: list[int] = []

    async def fail(
        self: Runner, batch: list[Incoming], *, is_repeat: bool = False, functions: int | None = None
    ) -> int:
        if numbers(batch):
            await hanging.wait()
        if self is world.runner and numbers(batch, B):
            hanging.set()
            raise RedisUnavailable("gone")
        handled.extend(numbers(batch, B))
        return await handle(self, batch, is_repeat=is_repeat, functions=functions)

    monkeypatch.setattr(Runner, "handle", fail)
    await flood(world, 20)
    tenure = asyncio.ensure_future(world.runner.run(asyncio.Event()))
    await until_in_hand(world)
    await flood(world, 3, B)
    async with asyncio.timeout(15):
        with pytest.raises(RedisUnavailable):
            await tenure
    async with running(another_runner(world)):
        await until_none_is_pending(world)
    assert handled == [0, 1, 2]


async def until_in_hand(world: EngineWorld) -> None:
    """The runner has read what there is, of which the first batch hangs."""
    async with asyncio.timeout(15):
        while await world.client.execute("XLEN", KEYS.events) != await pending(world):
            await asyncio.sleep(0.01)


async def pending(world: EngineWorld) -> int:
    (group,) = await world.client.execute("XINFO", "GROUPS", KEYS.events)
    return int(dict(zip(group[::2], group[1::2], strict=True))[b"pending"])
