"""Concurrency limits as the app sees them, plain, keyed and shared, while workers are killed with kill -9."""

from collections.abc import Callable

from tests.chaos.app import functions
from tests.chaos.checker import under_way
from tests.chaos.conftest import WorldMaker
from tests.chaos.server import WORKER

_KILLS = 6


async def test_limits_hold_while_workers_die(make_world: WorldMaker, tell: Callable[[str], None]) -> None:
    """Never more calls at once than each limit allows, and at some moment as many: the backlog that grows
    while a worker is away sees to that. What has the lease of a dead worker counts until it is answered."""
    with make_world() as world:

        async def strike() -> None:
            for _ in range(_KILLS):
                await world.strike(WORKER)

        await world.live_through(strike)
        await world.judge()
        story = world.story()
        for limit in functions.LIMITS:
            assert max(leases for _, leases in under_way(story, limit)) == limit.most, limit
        tell(world.figures())
