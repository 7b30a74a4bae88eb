"""From events to runs (spec 02, chapter 1)."""

import msgspec
import pytest

from apps.engine import crashpoints
from apps.engine.event_stream import EventContext, EventEntry
from apps.engine.functions import Trigger
from apps.engine.protocol import ids
from apps.engine.records import EventHandled, RunScheduled
from apps.engine.store.client import RedisUnavailable
from tests.integration.engine.engine_world import KEYS, EngineWorld, cancel_on, function


async def test_an_event_starts_each_function_that_its_name_matches(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(
        function("exact", "app/user.created"),
        function("deep", "app/*"),
        function("both", "app/user.*", "app/user.created"),
        function("other", "app/user.deleted"),
        function("star", "*"),
        function("elsewhere", "app/*", env_id="env2"),
        function("archived", "app/*", archived=True),
    )
    event_id = await world.send("app/user.created", {"a": 1})
    (handled,) = await world.handle()
    scheduled = await world.records(RunScheduled)
    assert sorted(record.function_id for record in scheduled) == ["both", "deep", "exact"]
    assert sorted(handled.run_ids) == sorted(record.run_id for record in scheduled)
    assert (handled.env_id, handled.event_id, handled.handled_at) == ("env", event_id, world.now)
    assert (handled.skipped, handled.failed, handled.resumed, handled.cancelled) == ([], [], [], [])
    first = scheduled[0]
    assert msgspec.structs.replace(first, run_id="", function_id="") == RunScheduled(
        "", "acc", "env", "app-id", "", 1, world.now, world.now, [event_id], "app/user.created"
    )


async def test_an_event_that_matches_nothing_is_recorded(engine_world: EngineWorld) -> None:
    event_id = await engine_world.send("app/nobody")
    (handled,) = await engine_world.handle()
    assert handled == EventHandled("env", event_id, handled.stream_id, engine_world.now)
    assert await engine_world.pending() == 0
    assert await engine_world.live_keys() == set()


async def test_expressions_decide_and_their_failures_are_recorded(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(
        function("yes", triggers=(Trigger("app/go", "event.data.n > 3"),)),
        function("no", triggers=(Trigger("app/go", "event.data.n > 4"),)),
        function("second", triggers=(Trigger("app/go", "false"), Trigger("app/*", "event.data.n == 4"))),
        function("broken", triggers=(Trigger("app/go", "event.data.n +"),)),
        function("odd", triggers=(Trigger("app/go", "event.data.n"),)),
        function("saved", triggers=(Trigger("app/go", "event.data.n + event.data.t"), Trigger("app/*"))),
    )
    await world.send("app/go", {"n": 4, "t": "text"})
    (handled,) = await world.handle()
    started = [record.function_id for record in await world.records(RunScheduled)]
    assert sorted(started) == ["saved", "second", "yes"]
    assert {function_id for function_id, _ in handled.failed} >= {"broken"}
    assert all(text for _, text in handled.failed)


async def test_a_changed_function_counts_from_the_next_event_on(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", "app/go"))
    await world.send("app/go")
    await world.handle()
    await world.publish(function("fn", "app/other", version=2))
    await world.send("app/go")
    assert [record.run_ids for record in await world.handle()] == [[]]
    await world.send("app/other")
    await world.handle()
    assert [record.function_version for record in await world.records(RunScheduled)] == [1, 2]


async def test_an_id_that_comes_again_starts_nothing_for_a_day(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", "app/go"), function("also", "app/go"))
    await world.send("app/go", event_id="order-1")
    await world.send("app/go", event_id="order-1")
    first, second = await world.handle()
    assert sorted((fn, reason) for fn, reason, _ in second.skipped) == [
        ("also", "Duplicate"),
        ("fn", "Duplicate"),
    ]
    assert sorted(run_id for _, _, run_id in second.skipped) == sorted(first.run_ids)
    assert second.run_ids == []
    item, _ = await world.lease_one()
    await world.commit(item, "F", 0)
    await world.send("app/go", event_id="order-1")
    assert [record.run_ids for record in await world.handle()] == [[]]
    await world.send("app/go", event_id="order-2")
    assert [len(record.run_ids) for record in await world.handle()] == [2]


async def test_an_event_without_an_id_of_its_own_remembers_nothing(engine_world: EngineWorld) -> None:
    await engine_world.publish(function("fn", "app/go"))
    await engine_world.send("app/go")
    await engine_world.handle()
    assert await engine_world.client.execute("KEYS", f"{KEYS.prefix}:idem:*") == []


def _die(name: str) -> None:
    raise RedisUnavailable(name)


async def test_a_batch_that_comes_again_changes_nothing(
    engine_world: EngineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash before the acknowledgement: the successor reads the same entries."""
    world = engine_world
    await world.publish(function("fn", "app/*"), function("also", "app/go"))
    for number in range(5):
        await world.send("app/go", event_id=f"id-{number % 2}" if number % 2 else "")
    batch = await world.read()
    planned = {incoming.stream_id: incoming for incoming in batch}
    with monkeypatch.context() as patch:
        patch.setattr(crashpoints, "reach", _die)
        with pytest.raises(RedisUnavailable):
            await world.runner.handle(batch)
    before = await world.records(RunScheduled)
    assert len(before) == 8
    again = await world.read("0")
    assert [incoming.stream_id for incoming in again] == list(planned)
    await world.runner.handle(again)
    assert await world.records(RunScheduled) == before
    handled = await world.records(EventHandled)
    assert sorted(run_id for record in handled for run_id in record.run_ids) == sorted(
        record.run_id for record in before
    )
    assert await world.pending() == 0
    assert not [key for key in await world.live_keys() if key.startswith("once:")]


async def test_runs_are_in_the_order_of_their_events(engine_world: EngineWorld) -> None:
    """Whatever times the ids bear that their senders made."""
    world = engine_world
    await world.publish(function("fn", "app/go", "app/engine"))
    names: list[str] = []
    for number, hours_back in enumerate([5, 1, 3, 0, 4, 2, 0, 0]):
        source = "engine" if number % 3 == 2 else "api"
        internal_id = ids.UlidGenerator().next(world.now - hours_back * 3_600_000)
        await world.send("app/go", internal_id=internal_id, context=EventContext(source=source))
        names.append(internal_id)
    handled = await world.handle()
    runs = [record.run_ids[0] for record in handled]
    assert [record.event_id for record in handled] == names
    assert runs == sorted(runs)
    assert [item.run_id for item, _ in await world.lease()] == runs


async def test_an_event_dated_ahead_starts_its_run_then(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", "app/go"))
    await world.send("app/go", ts=world.now + 2_000)
    await world.send("app/go", ts=world.now + 60_000)
    await world.handle()
    soon, later = await world.records(RunScheduled)
    assert (soon.queued_at, soon.scheduled_at) == (world.now, world.now)
    assert (later.queued_at, later.scheduled_at) == (world.now, world.now + 60_000)
    assert [item.run_id for item, _ in await world.lease()] == [soon.run_id]
    world.advance(60_000)
    assert [item.run_id for item, _ in await world.lease()] == [later.run_id]


@pytest.mark.parametrize("target", ["fn", "app-fn"])
async def test_an_invoke_starts_its_function_only(engine_world: EngineWorld, target: str) -> None:
    world = engine_world
    await world.publish(
        function("fn", triggers=(Trigger("app/x", "false"),)),
        function("listener", "inngest/function.invoked"),
    )
    await world.send(
        "inngest/function.invoked",
        context=EventContext(function_id=target, correlation_id="caller.step", source="invoke"),
    )
    await world.handle()
    (scheduled,) = await world.records(RunScheduled)
    assert (scheduled.function_id, scheduled.schedule_type) == ("fn", "Invoke")
    _, state = await world.lease_one()
    assert state.meta.correlation_ids == ["caller.step"]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("app-nope", "could not find function with ID: app-nope"),
        ("app-archived", "could not find function with ID: app-archived"),
        ("archived", "could not find function with ID: archived"),
        ("elsewhere", "could not find function with ID: elsewhere"),
        ("", "could not extract function ID from event"),
    ],
)
async def test_an_invoke_of_nothing_tells_its_caller(
    engine_world: EngineWorld, target: str, message: str
) -> None:
    world = engine_world
    await world.publish(
        function("caller", "app/go"),
        function("archived", archived=True),
        function("elsewhere", env_id="env2"),
    )
    await world.send("app/go")
    await world.handle()
    run_id = await world.start_waiting("I", "inv", "$RUN.inv", world.now + 60_000, "0", 2, "n", "ignored")
    await world.client.execute("XDEL", KEYS.events, (await world.client.execute(
        "XREVRANGE", KEYS.events, "+", "-", "COUNT", 1))[0][0])  # fmt: skip
    await world.send(
        "inngest/function.invoked",
        context=EventContext(function_id=target, correlation_id=f"{run_id}.inv", source="invoke"),
    )
    handled = await world.handle_all()
    assert [reason for record in handled for _, reason, _ in record.skipped] == ["FunctionNotFound"]
    error = msgspec.json.encode({"message": message, "name": "Error"})
    assert await world.memos(run_id) == {"inv": b'{"error":' + error + b"}"}
    assert [record.resumed for record in handled if record.resumed] == [[run_id]]


async def test_a_function_that_replaced_another_of_its_name_is_found(engine_world: EngineWorld) -> None:
    world = engine_world
    for archived_id, live_id in (("a", "b"), ("d", "c")):
        slug = f"app-{archived_id}{live_id}"
        await world.publish(function(archived_id, slug=slug, archived=True), function(live_id, slug=slug))
        await world.send("x", context=EventContext(function_id=slug, source="invoke"))
    await world.handle()
    assert [record.function_id for record in await world.records(RunScheduled)] == ["b", "c"]


async def test_one_event_that_cannot_be_handled_does_not_hold_up_the_others(
    engine_world: EngineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = engine_world
    await world.publish(
        function("fn", "app/go", cancel=cancel_on("app/stop", "async.data.x == event.data.x"))
    )
    await world.send("app/go")
    poison = EventEntry("01POISON", "env", "acc", "app/go", b"[]", EventContext(remember=True))
    await world.engine.append_events([poison])
    await world.send("app/go")
    handled = await world.handle()
    assert [len(record.run_ids) for record in handled] == [1, 0, 1]
    assert [text for _, text in handled[1].failed] == ["the event could not be handled: ValidationError"]
    assert await world.pending() == 0


@pytest.mark.parametrize("odd_id", [5, None, {"a": 1}, True])
async def test_an_id_that_is_no_text_counts_as_none(engine_world: EngineWorld, odd_id: object) -> None:
    world = engine_world
    await world.publish(function("fn", "app/go"))
    body = msgspec.json.encode({"data": {}, "id": odd_id, "name": "app/go", "ts": 1.5, "user": {}})
    entry = EventEntry(ids.new_ulid(world.now), "env", "acc", "app/go", body, EventContext(remember=True))
    await world.engine.append_events([entry])
    (handled,) = await world.handle()
    assert (len(handled.run_ids), handled.failed) == (1, [])


async def test_a_server_without_the_library_gets_it(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", "app/go"))
    await world.client.execute("FUNCTION", "FLUSH")
    await world.send("app/go")
    (handled,) = await world.handle()
    assert len(handled.run_ids) == 1
