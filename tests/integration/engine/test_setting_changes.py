"""What a change of a function's settings means for what waits (spec 02, 3.6 and 4.3 to 4.6;
docs/flow-control.md, Changing settings while work waits). Keys and limits are in test_key_changes.py."""

from apps.engine.functions import Batch, Debounce, RateLimit, Singleton
from apps.engine.records import RunScheduled
from tests.integration.engine.engine_world import EngineWorld, function

HOUR_MS = 3_600_000


async def publish(world: EngineWorld, version: int, **settings: object) -> None:
    await world.publish(function("fn", "app/go", version=version, **settings))


async def send(world: EngineWorld, n: int) -> str:
    event_id = await world.send("app/go", {"n": n})
    await world.handle_all()
    return event_id


async def after(world: EngineWorld, ms: int) -> list[list[str]]:
    """The events of each run there is once that time has passed."""
    world.advance(ms)
    await world.queue.library.call("tick", world.now, 100)
    await world.handle_all()
    return await runs(world)


async def runs(world: EngineWorld) -> list[list[str]]:
    return [run.event_ids for run in await world.records(RunScheduled)]


async def test_new_debounce_period_comes_with_the_next_event(engine_world: EngineWorld) -> None:
    await publish(engine_world, 1, debounce=Debounce(5_000))
    await send(engine_world, 1)
    await publish(engine_world, 2, debounce=Debounce(60_000))
    engine_world.advance(4_999)
    last = await send(engine_world, 2)
    assert await after(engine_world, 59_999) == []
    assert await after(engine_world, 1) == [[last]]


async def test_deadline_of_a_debounce_stays(engine_world: EngineWorld) -> None:
    await publish(engine_world, 1, debounce=Debounce(5_000))
    event = await send(engine_world, 1)
    await publish(engine_world, 2, debounce=Debounce(60_000))
    assert await after(engine_world, 5_000) == [[event]]


async def test_debounce_that_was_removed_still_fires(engine_world: EngineWorld) -> None:
    await publish(engine_world, 1, debounce=Debounce(5_000))
    held = await send(engine_world, 1)
    await publish(engine_world, 2)
    at_once = await send(engine_world, 2)
    assert await after(engine_world, 5_000) == [[at_once], [held]]


async def test_new_batch_size_comes_with_the_next_event(engine_world: EngineWorld) -> None:
    await publish(engine_world, 1, batch=Batch(10, 5_000))
    first = await send(engine_world, 1)
    await publish(engine_world, 2, batch=Batch(2, 60_000))
    second = await send(engine_world, 2)
    assert await runs(engine_world) == [[first, second]]


async def test_open_batch_keeps_its_timeout(engine_world: EngineWorld) -> None:
    await publish(engine_world, 1, batch=Batch(10, 5_000))
    first = await send(engine_world, 1)
    await publish(engine_world, 2, batch=Batch(10, 60_000))
    second = await send(engine_world, 2)
    assert await after(engine_world, 5_000) == [[first, second]]


async def test_batch_of_a_setting_that_was_removed_still_starts(engine_world: EngineWorld) -> None:
    await publish(engine_world, 1, batch=Batch(10, 5_000))
    held = await send(engine_world, 1)
    await publish(engine_world, 2)
    at_once = await send(engine_world, 2)
    assert await after(engine_world, 5_000) == [[at_once], [held]]


async def test_what_a_rate_limit_admitted_keeps_counting(engine_world: EngineWorld) -> None:
    await publish(engine_world, 1, rate_limit=RateLimit(2, HOUR_MS))
    admitted = [[await send(engine_world, n)] for n in range(2)]
    await publish(engine_world, 2, rate_limit=RateLimit(1, HOUR_MS))
    await send(engine_world, 2)
    assert await runs(engine_world) == admitted
    await publish(engine_world, 3, rate_limit=RateLimit(3, HOUR_MS))
    admitted.append([await send(engine_world, 3)])
    await send(engine_world, 4)
    assert await runs(engine_world) == admitted


async def test_run_keeps_the_lock_of_a_singleton_that_was_removed(engine_world: EngineWorld) -> None:
    await publish(engine_world, 1, singleton=Singleton("skip"))
    holder = await send(engine_world, 1)
    await publish(engine_world, 2)
    beside = await send(engine_world, 2)
    await publish(engine_world, 3, singleton=Singleton("skip"))
    skipped = await send(engine_world, 3)
    found = await engine_world.records(RunScheduled)
    assert [(run.event_ids, run.skip_reason) for run in found] == [
        ([holder], ""),
        ([beside], ""),
        ([skipped], "Singleton"),
    ]


async def test_priority_is_that_of_the_time_when_the_run_was_made(engine_world: EngineWorld) -> None:
    await publish(engine_world, 1, priority="event.data.n")
    runs_in_order = [await send(engine_world, n) for n in (0, 300)]
    await publish(engine_world, 2)
    runs_in_order.append(await send(engine_world, 600))
    by_event = {run.event_ids[0]: run.run_id for run in await engine_world.records(RunScheduled)}
    leased = [found.item.run_id for found in await engine_world.lease()]
    assert leased == [by_event[runs_in_order[place]] for place in (1, 0, 2)]
