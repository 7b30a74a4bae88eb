"""A process that stands still for longer than its leases last, and then goes on as if nothing had been."""

import asyncio
import signal
from collections.abc import Callable

import pytest

from tests.chaos.conftest import LEASE_SECONDS, WorldMaker
from tests.chaos.server import SCHEDULER, VALKEY, WORKER


@pytest.mark.parametrize("role", [WORKER, SCHEDULER, VALKEY])
async def test_a_stall(make_world: WorldMaker, role: str, tell: Callable[[str], None]) -> None:
    with make_world() as world:

        async def stall() -> None:
            await world.strike(role, number=signal.SIGSTOP)
            await asyncio.sleep(LEASE_SECONDS * 1.5)
            assert world.server.send(role, signal.SIGCONT)

        await world.live_through(stall)
        await world.judge()
        tell(world.figures())
