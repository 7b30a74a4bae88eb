"""The runner rests while workers have enough to do, and for nobody longer than it should."""

import asyncio
from typing import Any

import pytest

from apps.engine.runner.incoming import Incoming
from apps.engine.runner.intake import LIMITS, Intake, Limits
from apps.engine.runner.pace import PaceLimits
from tests.integration.engine.engine_world import EngineWorld
from tests.integration.engine.intake_world import both, flood, reading, running, until, until_none_is_pending


def resting(**settings: Any) -> Limits:
    """Every batch whose runs have work before them is followed by a rest without an end."""
    return Limits(pace=PaceLimits(batch=4, work_ahead=10, rest_ratio=1e9, rest_seconds=3600, **settings))


async def rested(intake: Intake) -> "asyncio.Task[tuple[list[Incoming], bool]]":
    """The intake rests: the next batch has been asked for and does not come."""
    await intake.take()
    taking = asyncio.ensure_future(intake.take(work_ahead=10))
    done, _ = await asyncio.wait({taking}, timeout=0.2)
    assert not done
    return taking


def names(batch: list[Incoming]) -> list[str]:
    return [incoming.entry.name for incoming in batch]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What the intake is told of the work ahead, each time that a batch is asked for."""
    told: list[int] = []
    take = Intake.take

    async def noting(intake: Intake, work_ahead: int = 0) -> tuple[list[Incoming], bool]:
        told.append(work_ahead)
        return await take(intake, work_ahead)

    monkeypatch.setattr(Intake, "take", noting)
    return told


async def test_an_entry_of_an_idle_lane_is_handled_during_the_rest(engine_world: EngineWorld) -> None:
    world = engine_world
    await flood(world, 40)
    async with reading(world, resting()) as intake:
        await until(lambda: intake.held == 40)
        taking = await rested(intake)
        await flood(world, 1, ("acc", "env", "app/b"))
        async with asyncio.timeout(15):
            assert names(await intake.take_aside()) == ["app/b"]
        intake.done_aside()
        assert not (await asyncio.wait({taking}, timeout=0.2))[0]  # the rest of the others goes on
        taking.cancel()


async def test_what_the_engine_tells_of_ended_runs_waits_for_the_end_of_the_rest(
    engine_world: EngineWorld,
) -> None:
    world = engine_world
    await flood(world, 40)
    async with reading(world, resting()) as intake:
        await until(lambda: intake.held == 40)
        taking = await rested(intake)
        await flood(world, 1, ("acc", "env", "inngest/function.finished"))
        await flood(world, 1, ("acc", "env", "app/b"))
        async with asyncio.timeout(15):
            assert names(await intake.take_aside()) == ["app/b"]
        assert not taking.done()
        taking.cancel()


async def test_no_rest_where_workers_may_run_out_of_work(engine_world: EngineWorld) -> None:
    world = engine_world
    await flood(world, 40)
    async with reading(world, resting()) as intake:
        await until(lambda: intake.held == 40)
        await intake.take()
        async with asyncio.timeout(15):
            batch, _ = await intake.take(work_ahead=9)
        assert len(batch) == 4


async def test_the_runner_rests_once_its_runs_have_work_before_them(
    engine_world: EngineWorld, told: list[int]
) -> None:
    """A backlog of one function, of which nothing is leased: all batches beyond the first few rest."""
    world = engine_world
    await world.publish(*both())
    await flood(world, 100)
    async with running(world.runner):
        await until_none_is_pending(world)
    assert told == sorted(told)
    assert told[0] == 0
    assert told[-1] > LIMITS.pace.work_ahead


async def test_no_rest_after_a_batch_without_runs(engine_world: EngineWorld, told: list[int]) -> None:
    """Nothing says any more that workers have enough to do."""
    world = engine_world
    await world.publish(*both())
    await flood(world, 100)
    async with running(world.runner):
        await until_none_is_pending(world)
        assert told[-1] > LIMITS.pace.work_ahead
        await flood(world, 1, ("acc", "env", "app/of-no-function"))
        await until_none_is_pending(world)
        await until(lambda: told[-1] == 0)
