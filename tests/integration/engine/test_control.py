"""What bulk control asks of the engine: live runs in order, how far the runner is, retries at once."""

import pytest

from apps.engine.control import LiveRun
from apps.engine.expressions import compile_expression
from apps.engine.records import RunEnded
from apps.engine.store.requests import RerunRequest
from tests.integration.engine.engine_world import KEYS, EngineWorld, function, wait

START = LiveRun(0, "")
END = 2**53


async def start(world: EngineWorld, data: bytes = b"{}") -> LiveRun:
    event = b'{"data":%b,"id":"e","name":"app/go","ts":1,"user":{}}' % data
    run_id = await world.engine.rerun(RerunRequest("env", "fn", [event], ["01E"], ["app/go"], ""))
    return LiveRun(world.now, run_id)


async def live(
    world: EngineWorld, after: LiveRun = START, until: int = END, limit: int = 100
) -> list[LiveRun]:
    return await world.engine.live_runs("env", "fn", after, until, limit)


async def test_live_runs_come_in_pages_in_the_order_of_their_times(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn"))
    runs = [await start(world) for _ in range(7)]
    world.advance(5)
    runs += [await start(world) for _ in range(2)]
    assert await live(world) == runs

    pages, after = [], START
    while page := await live(world, after, limit=2):
        pages.append(page)
        after = page[-1]
    assert pages == [runs[i : i + 2] for i in range(0, 9, 2)]
    assert await live(world, until=world.now - 1) == runs[:7]


async def test_a_run_that_ends_is_no_longer_among_them(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn"))
    runs = [await start(world) for _ in range(3)]
    assert await world.engine.cancel_runs("env", [runs[1].run_id], "r") == [True]
    assert await live(world) == [runs[0], runs[2]]
    assert await live(world, runs[0], limit=1) == [runs[2]]


@pytest.mark.parametrize(("env", "function_id"), [("env2", "fn"), ("env", "nope")])
async def test_live_runs_belong_to_their_environment(
    engine_world: EngineWorld, env: str, function_id: str
) -> None:
    await engine_world.publish(function("fn"))
    await start(engine_world)
    assert await engine_world.engine.live_runs(env, function_id, START, END, 10) == []


async def test_many_are_cancelled_with_a_verdict_each(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn"))
    runs = [(await start(world)).run_id for _ in range(12)]
    assert await world.engine.cancel_runs("other", runs, "r") == [False] * 12
    assert await world.engine.cancel_runs("env", [*runs[:11], "01NONE"], "bulk") == [True] * 11 + [False]
    assert [(end.run_id, end.status, end.reason) for end in await world.records(RunEnded)] == [
        (run_id, "Cancelled", "bulk") for run_id in runs[:11]
    ]
    assert [run.run_id for run in await live(world)] == runs[11:]


async def test_the_first_event_decides_whether_a_run_matches(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn"))
    runs = [(await start(world, b'{"n":%d}' % n)).run_id for n in range(12)]
    program = compile_expression("event.data.n >= 10 && event.name == 'app/go'")
    assert await world.engine.matching_runs([*runs, "01NONE"], program) == runs[10:]


async def test_the_runner_has_handled_what_it_acknowledged(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", "app/go"))
    assert await world.engine.has_handled(0)
    await world.send("app/go")
    (stream_id, _), *_ = await world.client.execute("XRANGE", KEYS.events, "-", "+")
    accepted = int(stream_id.split(b"-")[0])

    assert not await world.engine.has_handled(accepted)
    assert await world.engine.has_handled(accepted - 1)
    batch = await world.read()
    assert not await world.engine.has_handled(accepted)
    assert await world.engine.has_handled(accepted - 1)
    await world.runner.handle(batch)
    assert await world.engine.has_handled(accepted)
    assert await world.engine.has_handled(accepted + 60_000)


async def test_without_a_runner_nothing_is_handled(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.client.execute("DEL", KEYS.events)
    assert await world.engine.has_handled(END)
    await world.send("app/go")
    assert not await world.engine.has_handled(END)
    assert await world.engine.has_handled(world.now)


async def test_a_retry_is_brought_forward(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn"))
    run_id = (await start(world)).run_id
    item, _ = await world.lease_one()
    await world.commit(item, "R", world.now + 60_000, 1, "")
    assert await world.lease() == []

    assert await world.engine.requeue_run("other", run_id) is None
    assert await world.engine.requeue_run("env", "01NONE") is None
    assert await world.lease() == []
    assert await world.engine.requeue_run("env", run_id) == 1
    again, _ = await world.lease_one()
    assert (again.id, again.attempt, again.due_at) == (item.id, 1, world.now)
    assert await world.engine.requeue_run("env", run_id) == 0


async def test_requeueing_wakes_the_timer_service(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn"))
    run_id = (await start(world)).run_id
    item, _ = await world.lease_one()
    await world.commit(item, "R", world.now + 60_000, 1, "")
    await world.client.execute("DEL", f"{KEYS.prefix}:tick")
    await world.engine.requeue_run("env", run_id)
    assert await world.client.execute("LLEN", f"{KEYS.prefix}:tick") == 1


async def test_a_sleep_and_a_future_start_keep_their_time(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", "app/go"))
    sleeper = (await start(world)).run_id
    item, _ = await world.lease_one()
    await world.commit(item, "Z", "s", world.now + 60_000, "0", b"", version=2)
    await world.send("app/go", ts=world.now + 60_000)
    (handled,) = await world.handle()
    for run_id in (sleeper, *handled.run_ids):
        assert await world.engine.requeue_run("env", run_id) == 0
    assert await world.lease() == []
    world.advance(60_000)
    assert {leased.item.run_id for leased in await world.lease()} == {sleeper, *handled.run_ids}


async def test_sleeping_and_waiting_runs_are_live(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn"))
    sleeping, waiting = await start(world), await start(world)
    await world.start_waiting("Z", "s", world.now + 60_000, "0", b"")
    await world.start_waiting(*wait("app/ok", expires=world.now + 60_000))
    assert await live(world) == [sleeping, waiting]
    assert await world.engine.cancel_runs("env", [sleeping.run_id, waiting.run_id], "r") == [True, True]
    assert await live(world) == []
    assert await world.live_keys() == set()
