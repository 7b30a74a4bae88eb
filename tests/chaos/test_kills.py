"""kill -9 of the platform's processes at random moments, under load (issue 2, section 10)."""

from collections.abc import Callable, Iterator

import pytest

from tests.chaos.conftest import WorldMaker
from tests.chaos.server import ROLES, SCHEDULER, WEB, WORKER
from tests.chaos.world import World

_KILLS = 5


@pytest.fixture(scope="module")
def world(make_world: WorldMaker) -> Iterator[World]:
    with make_world() as world:
        yield world


@pytest.mark.parametrize("roles", [(WORKER,), (SCHEDULER,), (WEB,), ROLES], ids=" ".join)
async def test_kills_at_random_moments(
    world: World, roles: tuple[str, ...], tell: Callable[[str], None]
) -> None:
    async def strike() -> None:
        for _ in range(_KILLS):
            await world.strike(*roles)

    world.strikes.clear()
    await world.live_through(strike)
    await world.judge()
    tell(world.figures())
