"""The queue's server dies under load (design 7): what is lost, and how everybody finds it again."""

import asyncio
import signal
import time
from collections.abc import Callable

from tests.chaos.conftest import WorldMaker
from tests.chaos.server import VALKEY
from tests.chaos.world import World

_DEATHS = 2


async def _end_valkey(world: World, number: signal.Signals) -> None:
    for _ in range(_DEATHS):
        await asyncio.sleep(world.chance.uniform(1, 3))
        await world.strike(VALKEY, number)


async def test_a_graceful_restart_loses_nothing(make_world: WorldMaker, tell: Callable[[str], None]) -> None:
    with make_world() as world:
        await world.live_through(lambda: _end_valkey(world, signal.SIGTERM), requests=120, seconds=8)
        await world.judge()
        tell(world.figures())


async def test_a_kill_loses_at_most_what_was_acknowledged_just_before(
    make_world: WorldMaker, tell: Callable[[str], None]
) -> None:
    with make_world() as world:

        async def kill() -> None:
            for _ in range(_DEATHS):
                await asyncio.sleep(world.chance.uniform(1, 3))
                await world.strike(VALKEY, signal.SIGKILL)
                world.losses.append(time.time())

        await world.live_through(kill, requests=120, seconds=8)
        await world.judge()
        tell(world.figures())


async def test_a_kill_loses_nothing_when_each_write_is_synced(
    make_world: WorldMaker, tell: Callable[[str], None]
) -> None:
    with make_world(STEPWELL_VALKEY_FSYNC="always") as world:
        await world.live_through(lambda: _end_valkey(world, signal.SIGKILL), requests=120, seconds=8)
        await world.judge()
        tell(world.figures())
