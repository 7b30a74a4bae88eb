"""What is due fires, once, and nothing before its time (spec 02, 7.8 and 8)."""

import asyncio

import pytest

from apps.engine.records import RunEnded, StepRecorded
from tests.integration.engine.engine_world import KEYS, EngineWorld, function, wait

FAR = 9_999_999_999_999
TIMED_OUT_INVOKE = (
    b'{"error":{"error":"InngestInvokeTimeoutError: Timed out waiting for invoked function to complete",'
    b'"message":"Timed out waiting for invoked function to complete","name":"InngestInvokeTimeoutError"}}'
)


async def begin(world: EngineWorld, *operations: str | int | bytes) -> str:
    await world.send("app/go")
    await world.handle()
    return await world.start_waiting(*operations)


@pytest.mark.parametrize(
    ("kind", "operations", "memo"),
    [
        ("WaitForEvent", wait("app/x", expires=-1), b"null"),
        ("WaitForSignal", ["G", "w", "$RUN.w", "sig", "0", -1, "0", b"", b"", 0], b"null"),
        (
            "InvokeFunction",
            ["I", "w", "$RUN.w", -1, "0", 2, "n", "x"],
            TIMED_OUT_INVOKE,
        ),
    ],
)
async def test_a_pause_that_ends_in_vain(
    engine_world: EngineWorld, kind: str, operations: list[str | int | bytes], memo: bytes
) -> None:
    world = engine_world
    await world.publish(function("fn", "app/go"))
    expires = world.now + 1_000
    operations = [expires if part == -1 else part for part in operations]
    run_id = await begin(world, *operations)
    assert await world.timers.fire_due() == expires
    assert await world.memos(run_id) == {}
    world.advance(1_000)
    await world.timers.fire_due()
    assert await world.memos(run_id) == {"w": memo}
    (record,) = await world.records(StepRecorded)
    assert (record.run_id, record.step_id, record.op, record.status) == (run_id, "w", kind, "TimedOut")
    assert record.ended_at == world.now
    assert (await world.lease_one()).item.kind == "edge"
    assert await world.timers.fire_due() is None


async def test_a_wait_without_a_timeout_is_over_at_once(engine_world: EngineWorld) -> None:
    await engine_world.publish(function("fn", "app/go"))
    run_id = await begin(engine_world, *wait("app/x", expires=engine_world.now))
    await engine_world.timers.fire_due()
    assert await engine_world.memos(run_id) == {"w": b"null"}


async def test_sleeps_end_on_time(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", "app/go"))
    run_id = await begin(world, "Z", "nap", world.now + 500, "0", b"")
    world.advance(499)
    assert await world.timers.fire_due() == world.now + 1
    assert await world.memos(run_id) == {}
    world.advance(1)
    assert await world.timers.fire_due() is None
    assert await world.memos(run_id) == {"nap": b"null"}


async def test_more_is_due_than_fires_at_once(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", "app/go"))
    for _ in range(3):
        for _ in range(100):
            await world.send("app/go")
        await world.handle()
    for item, _ in await world.lease(300):
        await world.commit(item, *[part.replace("$RUN", item.run_id) if isinstance(part, str) else part
                                   for part in wait("app/x", expires=world.now + 10)])  # fmt: skip
    world.advance(10)
    assert await world.timers.fire_due() == world.now
    await world.timers.fire_due()
    assert await world.timers.fire_due() is None
    assert len(await world.lease(400)) == 300


async def test_a_run_that_does_not_start_in_time_is_cancelled(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", "app/go", start_timeout_ms=2_000))
    await world.send("app/go")
    (handled,) = await world.handle()
    world.advance(1_999)
    await world.timers.fire_due()
    assert await world.records(RunEnded) == []
    world.advance(1)
    await world.timers.fire_due()
    (ended,) = await world.records(RunEnded)
    assert ended == RunEnded(handled.run_ids[0], "Cancelled", world.now, reason="start timeout")
    assert {event.name for event in await world.events()} == {
        "app/go", "inngest/function.cancelled", "inngest/function.finished",
    }  # fmt: skip
    assert await world.lease() == []
    assert await world.live_keys() == set()


async def test_a_start_timeout_counts_from_the_due_time_and_stops_at_the_first_request(
    engine_world: EngineWorld,
) -> None:
    world = engine_world
    await world.publish(function("fn", "app/go", start_timeout_ms=2_000))
    await world.send("app/go", ts=world.now + 60_000)
    await world.handle()
    world.advance(60_000)
    await world.timers.fire_due()
    item, _ = await world.lease_one()
    assert await world.client.execute("ZCARD", f"{KEYS.prefix}:rt") == 0
    world.advance(10_000)
    await world.timers.fire_due()
    assert await world.commit(item, "F", 0) == "ok"


async def test_a_start_timeout_that_was_removed_cancels_nothing(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", "app/go", start_timeout_ms=2_000))
    await world.send("app/go")
    await world.handle()
    await world.publish(function("fn", "app/go", version=2))
    world.advance(2_000)
    await world.timers.turn()
    assert await world.records(RunEnded) == []
    assert await world.timers.turn() is None


async def test_a_start_timeout_that_was_lengthened_counts_for_queued_runs(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", "app/go", start_timeout_ms=2_000))
    await world.send("app/go")
    await world.handle()
    await world.publish(function("fn", "app/go", version=2, start_timeout_ms=5_000))
    world.advance(4_999)
    await world.timers.turn()
    assert await world.records(RunEnded) == []
    world.advance(1)
    await world.timers.turn()
    assert [ended.reason for ended in await world.records(RunEnded)] == ["start timeout"]


async def run_with_finish_timeout(world: EngineWorld) -> str:
    """A run that began now and sleeps; its timeout of 5 s is set as the executor sets it."""
    run_id = await begin(world, "Z", "nap", FAR, "0", b"")
    await world.queue.library.call("run_timeout", f"{run_id}|f", world.now + 5_000)
    return run_id


async def test_a_run_that_does_not_finish_in_time_is_cancelled(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", "app/go", finish_timeout_ms=5_000))
    run_id = await run_with_finish_timeout(world)
    started_at = world.now
    world.advance(5_000)
    await world.timers.fire_due()
    (ended,) = await world.records(RunEnded)
    expected = RunEnded(run_id, "Cancelled", world.now, reason="finish timeout", started_at=started_at)
    assert ended == expected
    assert await world.live_keys() == set()


async def test_the_current_finish_timeout_counts(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", "app/go", finish_timeout_ms=5_000))
    await run_with_finish_timeout(world)
    await world.publish(function("fn", "app/go", finish_timeout_ms=8_000, version=2))
    world.advance(5_000)
    assert await world.timers.turn() == world.now
    assert await world.timers.turn() == world.now + 3_000
    assert await world.records(RunEnded) == []
    await world.publish(function("fn", "app/go", version=3))
    world.advance(3_000)
    await world.timers.turn()
    assert await world.timers.turn() == FAR
    assert await world.records(RunEnded) == []


async def test_the_timeout_of_an_ended_run_leaves_nothing(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", "app/go", finish_timeout_ms=5_000))
    await run_with_finish_timeout(world)
    await world.client.execute("ZADD", f"{KEYS.prefix}:rt", world.now, "gone|f")
    await world.timers.fire_due()
    assert await world.client.execute("ZRANGE", f"{KEYS.prefix}:rt", 0, -1) != [b"gone|f"]


async def pushes(world: EngineWorld) -> int:
    """How often the timer service has been called since the last look."""
    count = int(await world.client.execute("LLEN", f"{KEYS.prefix}:tick"))
    await world.client.execute("DEL", f"{KEYS.prefix}:tick")
    return count


async def test_an_earlier_time_wakes_the_service(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", "app/go"))
    assert await pushes(world) == 1
    await begin(world, "Z", "nap", world.now + 60_000, "0", b"")
    assert await pushes(world) == 1
    await begin(world, "Z", "nap", world.now + 60_001, "0", b"")
    assert await pushes(world) == 0
    await begin(world, "Z", "nap", world.now + 59_999, "0", b"")
    assert await pushes(world) == 1
    await begin(world, *wait("app/x", expires=world.now + 60_000))
    assert await pushes(world) == 1
    await begin(world, *wait("app/x", expires=world.now + 60_001))
    assert await pushes(world) == 0


async def test_the_service_works_until_it_is_stopped(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", "app/go"))
    run_id = await begin(world, "Z", "nap", world.now + 60_000, "0", b"")
    await pushes(world)
    stop = asyncio.Event()
    service = asyncio.ensure_future(world.timers.run(stop))
    try:
        async with asyncio.timeout(10):
            world.advance(60_000)
            await world.client.execute("LPUSH", f"{KEYS.prefix}:tick", "1")
            while await world.memos(run_id) == {}:
                await asyncio.sleep(0.01)
    finally:
        stop.set()
        await service
    assert await world.memos(run_id) == {"nap": b"null"}
