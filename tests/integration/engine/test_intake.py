"""Reading ahead into fair lanes: who is next, in which order, in how much memory, and what a crash leaves."""

import asyncio
from collections import Counter
from types import SimpleNamespace

import pytest

from apps.engine import crashpoints
from apps.engine.event_stream import EventContext
from apps.engine.keys import RUNNER_GROUP
from apps.engine.records import EventHandled, RunEnded, RunScheduled
from apps.engine.runner import intake as intake_module
from apps.engine.runner.incoming import Incoming
from apps.engine.runner.intake import CONSUMER, LIMITS, Limits
from apps.engine.runner.pace import PaceLimits
from apps.engine.store.client import RedisUnavailable
from tests.integration.engine.engine_world import KEYS, EngineWorld, cancel_on, function
from tests.integration.engine.intake_world import (
    A,
    Place,
    another_runner,
    both,
    flood,
    numbers,
    reading,
    running,
    take_all,
    undone,
    until,
    until_none_is_pending,
)


@pytest.mark.parametrize(
    "place",
    [("acc", "env", "app/b"), ("acc", "env2", "app/a"), ("acc2", "env3", "app/a")],
    ids=["event name", "environment", "account"],
)
async def test_one_event_passes_the_backlog_of_another(engine_world: EngineWorld, place: Place) -> None:
    await flood(engine_world, 10_000)
    async with reading(engine_world) as intake:
        await until(lambda: intake.held == 10_000)
        taken = [*(await intake.take())[0], *(await intake.take())[0]]
        await flood(engine_world, 1, place)
        await until(lambda: intake.held == 10_001 - len(taken))
        assert numbers(await intake.take_aside(), place) == [0]
        intake.done_aside()
        assert numbers([*taken, *await take_all(intake)]) == list(range(10_000))


async def test_an_invokes_answer_and_an_aimed_event_pass_a_backlog(engine_world: EngineWorld) -> None:
    world = engine_world
    await flood(world, 500, ("acc", "env", "inngest/function.finished"))
    async with reading(world) as intake:
        await until(lambda: intake.held == 500)
        first, _ = await intake.take()
        await world.send("inngest/function.finished", context=EventContext(correlation_id="run.step"))
        await world.send("inngest/function.finished", context=EventContext(function_id="fn"))
        await until(lambda: intake.held == 502 - len(first))
        contexts = [incoming.entry.context for incoming in await intake.take_aside()]
        assert [(context.correlation_id, context.function_id) for context in contexts] == [
            ("run.step", ""),
            ("", "fn"),
        ]


async def test_bodies_beyond_the_budget_are_read_again(engine_world: EngineWorld) -> None:
    world, limits = engine_world, Limits(body_bytes=100_000, pace=PaceLimits(batch=10))
    await flood(world, 300, size=2_000)
    async with reading(world, limits) as intake:
        await until(lambda: intake.held == 300)
        first_share = intake.held_bytes
        assert 40_000 < first_share <= 50_000
        await flood(world, 300, ("acc", "env", "app/b"), size=2_000)
        await until(lambda: intake.held == 600)
        assert first_share + 20_000 < intake.held_bytes <= 100_000
        await world.client.execute("XDEL", KEYS.events, (await stream_ids(world))[299])
        taken = await take_all(intake)
        assert numbers(taken) == list(range(299))
        assert numbers(taken, ("acc", "env", "app/b")) == list(range(300))
        assert {len(incoming.entry.body) for incoming in taken} == {2_034}
        assert intake.held_bytes == 0
    assert await world.pending() == 599  # the deleted one is acknowledged


async def stream_ids(world: EngineWorld) -> list[str]:
    return [entry[0].decode() for entry in await world.client.execute("XRANGE", KEYS.events, "-", "+")]


async def test_reading_ahead_pauses_at_the_cap(engine_world: EngineWorld) -> None:
    world, limits = engine_world, Limits(entries=100, read=30, pace=PaceLimits(batch=10))
    await flood(world, 250)
    async with reading(world, limits) as intake:
        await until(lambda: intake.held >= 100)
        assert await world.pending() <= 129
        taken: list[Incoming] = []
        while len(taken) < 250:
            batch, _ = await intake.take()
            taken += batch
            assert intake.held <= 129
        assert numbers(taken) == list(range(250))


async def test_large_bodies_are_read_a_few_at_a_time(engine_world: EngineWorld) -> None:
    world, limits = engine_world, Limits(entries=10, read=20, read_bytes=100_000)
    await flood(world, 100, size=20_000)
    async with reading(world, limits) as intake:
        await until(lambda: intake.held == 20)
        await intake.take()
        await intake.take()
        await until(lambda: intake.held >= 10)
        assert await world.pending() == 32


async def test_what_is_pending_comes_first_and_as_repeated(engine_world: EngineWorld) -> None:
    world, limits = engine_world, Limits(read=7, pace=PaceLimits(batch=10))
    await flood(world, 20)
    await world.read()
    await world.client.execute("XACK", KEYS.events, RUNNER_GROUP, *(await stream_ids(world))[5:10])
    await flood(world, 20, start=20)
    async with reading(world, limits) as intake:
        await until(lambda: intake.held == 35)
        batches = [await intake.take() for _ in range(4)]
    assert [is_repeat for _, is_repeat in batches] == [True, True, False, False]
    taken = [incoming for batch, _ in batches for incoming in batch]
    assert numbers(taken) == [*range(5), *range(10, 40)]


async def test_an_entry_that_a_predecessor_was_given_late_is_found(
    engine_world: EngineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last read may be answered after its successor has looked for pending entries."""
    world = engine_world
    monkeypatch.setattr(intake_module, "_STRAY_SECONDS", 0)
    monkeypatch.setattr(intake_module, "_BLOCK_MS", 5)
    async with reading(world, Limits(pace=PaceLimits(batch=4))) as intake:
        await flood(world, 10)
        await until(lambda: intake.held == 10)
        in_hand, _ = await intake.take()
        lost = (
            ["MULTI"],
            stray("10"),
            ["XREADGROUP", "GROUP", RUNNER_GROUP, CONSUMER, "STREAMS", KEYS.events, ">"],
        )
        await world.client.pipeline([*lost, ["EXEC"]])
        await until(lambda: intake.held == 7)
        batch, is_repeat = await intake.take()
        assert is_repeat
        assert numbers([*in_hand, *batch, *await take_all(intake)]) == list(range(11))
        assert intake.held == 0


def stray(internal_id: str) -> list[str]:
    account_id, env_id, name = A
    return ["XADD", KEYS.events, "*", "i", internal_id, "e", env_id, "a", account_id, "n", name, "b", "{}"]


async def test_an_event_that_cancels_does_not_overtake_what_it_cancels(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", "app/a", cancel=cancel_on("app/stop")), function("b", "app/b"))
    await flood(world, 300)
    await flood(world, 1, ("acc", "env", "app/stop"))
    await flood(world, 1, ("acc", "env", "app/b"))
    async with running(world.runner):
        await until_none_is_pending(world)
    ended = await world.records(RunEnded)
    scheduled = await world.records(RunScheduled)
    assert [record.function_id for record in scheduled].index("b") < 300
    assert {record.run_id for record in ended} == {
        record.run_id for record in scheduled if record.function_id == "fn"
    }
    assert [record.status for record in ended] == ["Cancelled"] * 300


async def test_lanes_join_when_a_cancel_rule_is_new(engine_world: EngineWorld) -> None:
    world = engine_world
    stop = ("acc", "env", "app/stop")
    async with reading(world, Limits(pace=PaceLimits(batch=1))) as intake:
        for number in range(5):
            await flood(world, 1, A, start=number)
            await flood(world, 1, stop, start=number)
        await until(lambda: intake.held == 10)
        await flood(world, 3, A, start=5)
        await until(lambda: intake.held == 13)
        await world.publish(function("fn", "app/a", cancel=cancel_on("app/stop")))
        await intake._routes._functions.refresh()
        taken = await take_all(intake)
    assert [incoming.stream_id for incoming in taken] == await stream_ids(world)


def outcomes(handled: list[EventHandled]) -> dict[str, int]:
    return Counter(record.stream_id for record in handled)


async def test_a_crash_amid_a_backlog_changes_nothing(
    engine_world: EngineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = engine_world
    await world.publish(*both())
    await flood(world, 200)
    await flood(world, 200, ("acc", "env", "app/b"))
    batches = 0

    def die_at_the_third(name: str) -> None:
        nonlocal batches
        batches += 1
        if batches == 3:
            raise RedisUnavailable(name)

    with monkeypatch.context() as patch:
        patch.setattr(crashpoints, "reach", die_at_the_third)
        with pytest.raises(RedisUnavailable):
            await world.runner.run(asyncio.Event())
    handled = await world.records(EventHandled)
    assert await undone(world) == 400 - len(handled)
    assert len(await world.records(RunScheduled)) > len(handled) > 0
    async with running(another_runner(world)):
        await until_none_is_pending(world)
    scheduled = await world.records(RunScheduled)
    assert Counter(record.function_id for record in scheduled) == {"a": 200, "b": 200}
    assert len({record.run_id for record in scheduled}) == 400
    handled = await world.records(EventHandled)
    assert outcomes(handled) == dict.fromkeys(await stream_ids(world), 1)
    assert {run_id for record in handled for run_id in record.run_ids} == {
        record.run_id for record in scheduled
    }
    assert not [key for key in await world.live_keys() if key.startswith("once:")]


async def test_a_stop_amid_a_backlog_leaves_the_rest_untouched(
    engine_world: EngineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, stop = engine_world, asyncio.Event()
    await world.publish(*both())
    await flood(world, 1_000)
    with monkeypatch.context() as patch:
        patch.setattr(crashpoints, "reach", lambda name: stop.set())
        await world.runner.run(stop)
    handled = await world.records(EventHandled)
    assert outcomes(handled) == dict.fromkeys((await stream_ids(world))[: LIMITS.pace.least_batch], 1)
    assert len(await world.records(RunScheduled)) == LIMITS.pace.least_batch
    assert await undone(world) == 1_000 - LIMITS.pace.least_batch
    async with running(another_runner(world)):
        await until_none_is_pending(world)
    assert outcomes(await world.records(EventHandled)) == dict.fromkeys(await stream_ids(world), 1)


async def test_a_runner_that_lost_its_lease_amid_a_backlog_drops_it(
    engine_world: EngineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read ahead is the successor's, who may have handled it already."""
    world = engine_world
    await world.publish(*both())
    await flood(world, 1_000)
    ownership = world.runner._ownership
    with monkeypatch.context() as patch:
        patch.setattr(crashpoints, "reach", lambda name: setattr(ownership, "_held_until", 0.0))
        async with asyncio.timeout(10):
            await world.runner.run(asyncio.Event())
    assert len(await world.records(EventHandled)) == LIMITS.pace.least_batch
    assert await undone(world) == 1_000 - LIMITS.pace.least_batch


async def test_batches_are_as_large_as_they_are_quick(
    engine_world: EngineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await flood(engine_world, 500)
    now = 0.0
    async with reading(engine_world) as intake:
        await until(lambda: intake.held == 500)
        monkeypatch.setattr(intake_module, "time", SimpleNamespace(monotonic=lambda: now))
        sizes = []
        for took in (0.0009, 0.0009, 0.0009, 0.0015, 0.003, 0.003, 0.003, 0.003):
            batch, _ = await intake.take()
            sizes.append(len(batch))
            now += took
    assert sizes == [8, 16, 32, 64, 64, 32, 16, 8]
