"""The whole platform ends under load, and a second life begins on the same folder."""

import asyncio
from collections.abc import Callable

from tests.chaos.checker import executed_twice
from tests.chaos.conftest import WorldMaker


async def test_a_second_life_after_kill_9_of_everything(
    make_world: WorldMaker, tell: Callable[[str], None]
) -> None:
    with make_world(STEPWELL_VALKEY_FSYNC="always") as world:

        async def die_and_start() -> None:
            await asyncio.sleep(world.chance.uniform(2, 4))
            await asyncio.to_thread(world.server.kill_everything)
            await asyncio.to_thread(world.server.start)

        await world.live_through(die_and_start)
        await world.judge()
        tell(world.figures())


async def test_a_graceful_stop_interrupts_nothing(
    make_world: WorldMaker, tell: Callable[[str], None]
) -> None:
    with make_world() as world:

        async def stop_and_start() -> None:
            await asyncio.sleep(world.chance.uniform(2, 4))
            assert await asyncio.to_thread(world.server.stop) == 0
            assert world.server.processes() == []
            await asyncio.to_thread(world.server.start)

        await world.live_through(stop_and_start)
        await world.judge(executed_twice)
        tell(world.figures())
