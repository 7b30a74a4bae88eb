"""The queue's server dies under load (design 7): what is lost, and how everybody finds it again."""

import signal
import time
from collections.abc import Callable

from tests.chaos.conftest import WorldMaker
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
