"""The process dies at each of its named points (apps/engine/crashpoints.py), again and again."""

import asyncio
from collections.abc import Callable

import pytest

from tests.chaos.conftest import WorldMaker
from tests.chaos.server import SCHEDULER, WORKER

_LEAST_CRASHES = 2
_MOST_WAVES = 12


async def _nothing() -> None:
    await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("point", "role"),
    [
        ("after_lease:0.005", WORKER),
        ("before_commit:0.005", WORKER),
        ("after_commit:0.005", WORKER),
        ("before_ack:0.05", SCHEDULER),
        ("history_written:0.05", SCHEDULER),
    ],
)
async def test_crashes(make_world: WorldMaker, point: str, role: str, tell: Callable[[str], None]) -> None:
    with make_world(STEPWELL_CRASH_AT=point) as world:
        for _ in range(_MOST_WAVES):
            await world.live_through(_nothing)
            if world.server.crashes(role) >= _LEAST_CRASHES:
                break
        assert world.server.crashes(role) >= _LEAST_CRASHES
        await world.judge()
        tell(f"{world.server.crashes(role)} crashes, {world.figures()}")
