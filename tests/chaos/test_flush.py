"""Redis loses everything under load (design 7): the scheduler rebuilds the queue from history."""

import time
from collections.abc import Callable

from tests.chaos import evidence
from tests.chaos.conftest import WorldMaker
from tests.chaos.server import SCHEDULER, WORKER
from tests.chaos.story import LOSS_SECONDS
from tests.chaos.world import World


async def _flush(world: World, *roles: str) -> None:
    """Empty the server while it works; with roles, their processes die at the same moment."""
    await world.until_working(SCHEDULER, WORKER)
    with evidence.open_queue(world.server.redis_url) as queue:
        unwritten_since = evidence.oldest_unwritten(queue)
        queue.flushall()
    # What history had not stored goes with the queue; a busy machine may be some seconds behind.
    loss = time.time()
    while loss >= unwritten_since:
        world.losses.append(loss)
        loss -= LOSS_SECONDS
    for role in roles:
        await world.strike(role)


async def test_a_flush_under_load_is_made_good(make_world: WorldMaker, tell: Callable[[str], None]) -> None:
    with make_world() as world:
        await world.live_through(lambda: _flush(world), seconds=8)
        await world.judge()
        tell(world.figures())


async def test_a_flush_while_the_scheduler_dies_is_made_good(
    make_world: WorldMaker, tell: Callable[[str], None]
) -> None:
    with make_world() as world:
        await world.live_through(lambda: _flush(world, SCHEDULER), seconds=8)
        await world.judge()
        tell(world.figures())
