"""The queue's server dies under load (design 7): what is lost, and how everybody finds it again."""

import asyncio
import signal
import time
from collections.abc import Callable

from tests.chaos.conftest import WorldMaker
from tests.chaos.power import AppendOnlyFile
from tests.chaos.server import VALKEY
from tests.chaos.world import World

_DEATHS = 3


async def _end_valkey(world: World, number: signal.Signals, *, loses: bool = False) -> None:
    for _ in range(_DEATHS):
        await world.strike(VALKEY, number=number)
        if loses:
            world.losses.append(time.time())


async def test_a_graceful_restart_loses_nothing(make_world: WorldMaker, tell: Callable[[str], None]) -> None:
    with make_world() as world:
        await world.live_through(lambda: _end_valkey(world, signal.SIGTERM))
        await world.judge()
        tell(world.figures())


async def test_a_kill_loses_at_most_what_was_acknowledged_just_before(
    make_world: WorldMaker, tell: Callable[[str], None]
) -> None:
    with make_world() as world:
        await world.live_through(lambda: _end_valkey(world, signal.SIGKILL, loses=True))
        await world.judge()
        tell(world.figures())


async def test_a_kill_loses_nothing_when_each_write_is_synced(
    make_world: WorldMaker, tell: Callable[[str], None]
) -> None:
    with make_world(STEPWELL_VALKEY_FSYNC="always") as world:
        await world.live_through(lambda: _end_valkey(world, signal.SIGKILL))
        await world.judge()
        tell(world.figures())


async def test_a_power_cut_loses_only_what_was_not_synced(
    make_world: WorldMaker, tell: Callable[[str], None]
) -> None:
    with make_world() as world:
        file = AppendOnlyFile(world.server.data_dir)

        async def cut_power() -> None:
            watching = asyncio.create_task(file.watch())
            await asyncio.sleep(4)
            world.server.pause(signal.SIGSTOP)
            await world.strike(VALKEY)
            world.losses.append(time.time())
            await asyncio.sleep(0.1)
            watching.cancel()
            assert file.cut_back(world.losses[-1]) > 0
            world.server.pause(signal.SIGCONT)

        await world.live_through(cut_power)
        await world.judge()
        tell(world.figures())
