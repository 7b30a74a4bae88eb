"""Events meet what waits for them: waits, cancel rules, invokes (spec 02, chapter 7)."""

import msgspec
import pytest

from apps.engine import crashpoints
from apps.engine.event_stream import EventContext
from apps.engine.executor.commit_builder import CommitBuilder, Dispatch
from apps.engine.executor.ops import wait_for_event
from apps.engine.functions import CancelRule, FunctionSpec
from apps.engine.protocol.opcodes import Op
from apps.engine.protocol.responses import Ops
from apps.engine.records import EventHandled, RunEnded, StepRecorded
from apps.engine.store.client import RedisUnavailable
from tests.integration.engine.engine_world import EngineWorld, cancel_on, function, wait

FAR = 9_999_999_999_999


async def start(world: EngineWorld, data: object = None) -> str:
    await world.send("app/go", data)
    (handled,) = await world.handle()
    (run_id,) = handled.run_ids
    return run_id


async def start_wait(world: EngineWorld, expression: str, data: object = None) -> str:
    """A run whose first answer waits for app/x as its SDK would ask for it."""
    await start(world, data)
    item, state = await world.lease_one()
    builder = CommitBuilder(item, state, function("fn"), Dispatch(world.now, world.now))
    options = {"timeout": msgspec.Raw(b'"1h"'), "if": msgspec.Raw(msgspec.json.encode(expression))}
    wait_for_event(builder, Op("WaitForEvent", "w", name="app/x", opts=options), Ops([]))
    await world.queue.commit(builder.build(2, may_continue=False))
    return item.run_id


async def handled_one(world: EngineWorld, name: str, data: object = None) -> EventHandled:
    await world.send(name, data)
    (record,) = await world.handle()
    return record


@pytest.mark.parametrize(
    ("expression", "matching", "other"),
    [
        ("", {"id": 1}, None),
        ("async.data.id == event.data.id", {"id": 7}, {"id": 8}),
        ("async.data.id == event.data.id && async.data.n > 3", {"id": 7, "n": 4}, {"id": 7, "n": 3}),
        ("async.data.n > 3", {"n": 4}, {"n": 3}),
        ("async.data.id == event.data.missing", {"id": None}, {}),
        ("async.data.kind == 'a' || async.data.kind == 'b'", {"kind": "b"}, {"kind": "c"}),
    ],
)
async def test_a_wait_takes_the_first_event_that_matches(
    engine_world: EngineWorld, expression: str, matching: object, other: object
) -> None:
    world = engine_world
    await world.publish(function("fn", "app/go"))
    run_id = await start_wait(world, expression, {"id": 7})
    if other is not None:
        assert (await handled_one(world, "app/x", other)).resumed == []
    assert (await handled_one(world, "app/y", matching)).resumed == []
    event_id = await world.send("app/x", matching)
    assert [record.resumed for record in await world.handle()] == [[run_id]]
    memos = await world.memos(run_id)
    assert memos is not None
    assert msgspec.json.decode(memos["w"])["id"] == event_id
    record = (await world.records(StepRecorded))[-1]
    assert (record.step_id, record.status, record.output) == ("w", "Completed", memos["w"])
    assert msgspec.json.decode(record.info) == {"found_event_id": event_id}
    assert (await handled_one(world, "app/x", matching)).resumed == []
    assert not [key for key in await world.live_keys() if key.startswith(("p:", "pb:", "pn:", "px", "rp:"))]


async def test_one_event_resumes_every_run_and_every_wait_that_matches(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", "app/go"))
    first = await start(world)
    await world.start_waiting(*wait("app/x", expires=FAR), *wait("app/x", expires=FAR, step="v"))
    second = await start_wait(world, "async.data.id == event.data.id", {"id": 1})
    await start_wait(world, "async.data.id == event.data.id", {"id": 2})
    record = await handled_one(world, "app/x", {"id": 1})
    assert sorted(record.resumed) == sorted([first, first, second])


async def test_of_events_in_one_batch_the_first_decides(engine_world: EngineWorld) -> None:
    """They are looked up together: what the first takes is found for the others too."""
    world = engine_world
    rule = cancel_on("app/stop", "async.data.id == event.data.id")
    await world.publish(function("fn", "app/go", cancel=rule))
    runs = [await start_wait(world, "async.data.id == event.data.id", {"id": number}) for number in range(12)]
    first = [await world.send("app/x", {"id": number}) for number in range(12)]
    for number in range(12):
        await world.send("app/x", {"id": number})
    await world.send("app/stop", {"id": 5})
    await world.send("app/stop", {"id": 5})
    handled = await world.handle()
    assert [record.resumed for record in handled] == [[run_id] for run_id in runs] + [[]] * 14
    assert [record.cancelled for record in handled] == [[]] * 24 + [[runs[5]], []]
    memos = await world.memos(runs[11])
    assert memos is not None
    assert msgspec.json.decode(memos["w"])["id"] == first[11]


async def test_only_an_event_accepted_after_the_wait_counts(engine_world: EngineWorld) -> None:
    """When it is handled does not matter: what is accepted after the wait was stored is never missed."""
    world = engine_world
    await world.publish(function("fn", "app/go"))
    run_id = await start(world)
    await world.send("app/x")
    await world.start_waiting(*wait("app/x", expires=FAR))
    await world.send("app/x")
    assert [record.resumed for record in await world.handle()] == [[], [run_id]]


async def test_an_event_handled_before_the_wait_does_not_count(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", "app/go"))
    run_id = await start(world)
    await handled_one(world, "app/x")
    await world.start_waiting(*wait("app/x", expires=FAR))
    assert await world.handle() == []
    assert await world.memos(run_id) == {}


async def test_a_date_ahead_does_not_hold_up_a_wait(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", "app/go"))
    run_id = await start(world)
    await world.start_waiting(*wait("app/x", expires=FAR))
    await world.send("app/x", ts=world.now + 3_600_000)
    assert [record.resumed for record in await world.handle()] == [[run_id]]


async def test_an_event_after_the_timeout_is_late(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", "app/go"))
    run_id = await start(world)
    await world.start_waiting(*wait("app/x", expires=world.now + 1_000))
    world.advance(1_000)
    assert (await handled_one(world, "app/x")).resumed == []
    await world.timers.fire_due()
    assert await world.memos(run_id) == {"w": b"null"}


async def test_a_wildcard_is_no_wait(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", "app/go"))
    await start(world)
    await world.start_waiting(*wait("app/*", expires=FAR))
    assert (await handled_one(world, "app/x")).resumed == []
    assert len((await handled_one(world, "app/*")).resumed) == 1


@pytest.mark.parametrize("count", [1_000, 1_200])  # the second does not fit into one page
async def test_many_runs_go_on_with_one_event(engine_world: EngineWorld, count: int) -> None:
    world = engine_world
    await world.publish(function("fn", "app/go"))
    for _ in range(count):
        await world.send("app/go")
    await world.handle_all()
    leased = await world.lease(count)
    assert len(leased) == count
    for item, _ in leased:
        operations = [
            part.replace("$RUN", item.run_id) if isinstance(part, str) else part
            for part in wait("app/x", expires=FAR)
        ]
        await world.commit(item, *operations)
    record = await handled_one(world, "app/x", {"text": "x" * 100_000})
    assert sorted(record.resumed) == sorted(item.run_id for item, _ in leased)
    assert len(await world.lease(count + 1)) == count


def cancellable(expression: str = "", timeout: str = "") -> FunctionSpec:
    return function("fn", "app/go", cancel=cancel_on("app/stop", expression, timeout))


@pytest.mark.parametrize(
    ("expression", "data", "cancels"),
    [
        ("", {"id": 2}, True),
        ("async.data.id == event.data.id", {"id": 1}, True),
        ("async.data.id == event.data.id", {"id": 2}, False),
        ("event.data.id == 1", {}, True),
        ("event.data.id == 2", {}, False),
        ("async.data.n > 3", {"n": 4}, True),
        ("async.data.n > 3", {}, False),
        ("this is no expression", {}, False),
    ],
)
async def test_a_cancel_rule(engine_world: EngineWorld, expression: str, data: object, cancels: bool) -> None:
    world = engine_world
    await world.publish(cancellable(expression))
    run_id = await start(world, {"id": 1})
    event_id = await world.send("app/stop", data)
    (record,) = await world.handle()
    assert record.cancelled == ([run_id] if cancels else [])
    ended = [(end.run_id, end.status, end.reason) for end in await world.records(RunEnded)]
    reason = f"event {event_id} matched {expression}" if expression else f"event {event_id}"
    assert ended == ([(run_id, "Cancelled", reason)] if cancels else [])
    if cancels:
        assert await world.live_keys() == set()
        (finished,) = await world.events("inngest/function.finished")
        data_of_it = msgspec.json.decode(finished.body)["data"]
        assert data_of_it["_inngest"] == {"status": "Cancelled"}
        assert not {"result", "error"} & data_of_it.keys()


async def test_the_trigger_of_a_run_never_cancels_it(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", "app/go", cancel=cancel_on("app/go")))
    first = await start(world)
    assert await world.records(RunEnded) == []
    await world.send("app/go")
    (record,) = await world.handle()
    assert (len(record.run_ids), record.cancelled) == (1, [first])


async def test_within_one_batch_only_later_events_cancel(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(cancellable())
    await world.send("app/stop")
    await world.send("app/go")
    assert [record.cancelled for record in await world.handle()] == [[], []]
    await world.send("app/go")
    await world.send("app/stop")
    started, stopped = await world.handle()
    assert len(stopped.cancelled) == 2
    assert started.run_ids[0] in stopped.cancelled


async def test_one_event_cancels_many_runs(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(cancellable())
    runs = [await start(world) for _ in range(30)]
    await world.lease(10)
    assert sorted((await handled_one(world, "app/stop")).cancelled) == runs


@pytest.mark.parametrize(("after_ms", "cancels"), [(59_999, True), (60_000, False)])
async def test_a_cancel_rule_ends_with_its_timeout(
    engine_world: EngineWorld, after_ms: int, cancels: bool
) -> None:
    world = engine_world
    await world.publish(cancellable(timeout="1m"))
    await start(world)
    world.advance(after_ms)
    assert bool((await handled_one(world, "app/stop")).cancelled) is cancels
    await world.timers.fire_due()
    assert "px" not in await world.live_keys()


@pytest.mark.parametrize(
    ("outcome", "memo", "status"),
    [
        ({"result": {"a": 1}, "_inngest": {"status": "Completed"}}, b'{"data":{"a":1}}', "Completed"),
        ({"result": None, "_inngest": {"status": "Completed"}}, b'{"data":null}', "Completed"),
        ({"_inngest": {"status": "Completed"}}, b'{"data":null}', "Completed"),
        (
            {"error": {"name": "E", "message": "m"}, "result": 1, "_inngest": {"status": "Failed"}},
            b'{"error":{"name":"E","message":"m"}}',
            "Failed",
        ),
        (
            {"_inngest": {"status": "Cancelled"}},
            b'{"error":{"message":"invoked function was cancelled","name":"InngestInvokeCancelledError"}}',
            "Failed",
        ),
    ],
)
async def test_a_finished_run_answers_its_invoker(
    engine_world: EngineWorld, outcome: dict[str, object], memo: bytes, status: str
) -> None:
    world = engine_world
    await world.publish(function("fn", "app/go"))
    run_id = await start(world)
    await world.start_waiting("I", "inv", "$RUN.inv", FAR, "0", 2, "n", "x")
    await world.client.execute("XTRIM", world.engine.keys.events, "MAXLEN", 0)
    event_id = await world.send(
        "inngest/function.finished",
        {"run_id": "callee", **outcome},
        context=EventContext(source="engine", correlation_id=f"{run_id}.inv"),
    )
    (record,) = await world.handle()
    assert record.resumed == [run_id]
    assert await world.memos(run_id) == {"inv": memo}
    step = (await world.records(StepRecorded))[-1]
    assert (step.step_id, step.op, step.status) == ("inv", "InvokeFunction", status)
    assert msgspec.json.decode(step.info) == {"invoked_run_id": "callee", "found_event_id": event_id}


async def test_a_finished_event_also_triggers_and_resumes_waits(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", "app/go"), function("watcher", "inngest/function.finished"))
    run_id = await start(world)
    await world.start_waiting(*wait("inngest/function.finished", expires=FAR))
    await world.send("inngest/function.finished", {"run_id": "x"}, context=EventContext(source="engine"))
    (record,) = await world.handle()
    assert (record.resumed, len(record.run_ids)) == ([run_id], 1)


async def test_a_repeated_event_still_tells_what_it_resumed_and_cancelled(
    engine_world: EngineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = engine_world
    rule = CancelRule("app/x", "async.data.stop == event.data.stop")
    await world.publish(function("fn", "app/go", cancel=(rule,)))
    waiting = await start(world, {"stop": 1})
    await world.start_waiting(*wait("app/x", expires=FAR))
    cancelled = await start(world, {"stop": 2})
    await world.send("app/x", {"stop": 2})
    batch = await world.read()
    with monkeypatch.context() as patch:
        patch.setattr(crashpoints, "reach", _die)
        with pytest.raises(RedisUnavailable):
            await world.runner.handle(batch)
    await world.runner.handle(await world.read("0"), is_repeat=True)
    record = (await world.records(EventHandled))[-1]
    assert (record.resumed, record.cancelled) == ([waiting], [cancelled])
    assert not [key for key in await world.live_keys() if key.startswith("once:")]


def _die(name: str) -> None:
    raise RedisUnavailable(name)
