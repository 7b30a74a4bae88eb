"""The engine's face: what pages, APIs and services may ask of it."""

import msgspec
import pytest

from apps.engine.engine import UnknownFunction
from apps.engine.records import RunScheduled, StepRecorded
from apps.engine.store.requests import RerunRequest
from tests.integration.engine.engine_world import EngineWorld, cancel_on, function

EVENT = b'{"data":{"id":1},"id":"e-1","name":"app/go","ts":5,"user":{}}'
A, B = "a" * 40, "b" * 40


def rerun(**changes: object) -> RerunRequest:
    request = RerunRequest("env", "fn", [EVENT], ["01INTERNAL"], ["app/go"], "01ORIGINAL")
    return msgspec.structs.replace(request, **changes)


async def test_a_rerun_is_a_new_run_of_the_same_events(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", "app/go", version=4, start_timeout_ms=500))
    first = await world.engine.rerun(rerun())
    assert await world.engine.rerun(rerun()) != first
    record = (await world.records(RunScheduled))[0]
    assert record == RunScheduled(
        first, "acc", "env", "app-id", "fn", 4, world.now, world.now, ["01INTERNAL"], "app/go", "Rerun",
        original_run_id="01ORIGINAL",
    )  # fmt: skip
    item, state = await world.lease_one()
    assert (item.run_id, state.events_json, state.meta.original_run_id) == (
        first,
        b"[%b]" % EVENT,
        "01ORIGINAL",
    )


async def test_a_rerun_from_a_step_keeps_what_was_before_it(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", "app/go"))
    run_id = await world.engine.rerun(
        rerun(memos=[(A, b'{"data":1}')], target_step=B, target_input=b'[{"ed":1}]')
    )
    item, state = await world.lease_one()
    assert (item.step_id, item.position, state.stack) == (B, 1, [A])
    actions = await world.engine.run_actions(run_id)
    assert actions is not None
    assert msgspec.json.decode(actions) == {A: {"data": 1}, B: {"input": [{"ed": 1}]}}


async def test_events_cancel_a_rerun_as_they_would_a_run(engine_world: EngineWorld) -> None:
    world = engine_world
    cancel = cancel_on("app/stop", "async.data.id == event.data.id")
    await world.publish(function("fn", "app/go", cancel=cancel))
    run_id = await world.engine.rerun(rerun())
    batch = await world.engine.rerun(
        rerun(events=[EVENT, EVENT], event_ids=["1", "2"], event_names=["a", "a"])
    )
    await world.send("app/stop", {"id": 2})
    await world.send("app/stop", {"id": 1})
    assert [record.cancelled for record in await world.handle()] == [[], [run_id]]
    assert await world.engine.is_live("env", batch)


@pytest.mark.parametrize("changes", [{"function_id": "nope"}, {"function_id": "gone"}, {"env_id": "env2"}])
async def test_a_rerun_of_a_function_that_is_not_there(
    engine_world: EngineWorld, changes: dict[str, str]
) -> None:
    await engine_world.publish(function("fn", "app/go"), function("gone", archived=True))
    with pytest.raises(UnknownFunction):
        await engine_world.engine.rerun(rerun(**changes))


async def test_cancelling_a_run_once_and_in_its_environment(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", "app/go"))
    run_id = await world.engine.rerun(rerun())
    assert not await world.engine.cancel_run("env2", run_id, "x")
    assert await world.engine.is_live("env", run_id)
    assert not await world.engine.is_live("env2", run_id)
    assert await world.engine.cancel_run("env", run_id, "x")
    assert not await world.engine.cancel_run("env", run_id, "x")
    assert not await world.engine.is_live("env", run_id)
    assert await world.engine.run_actions(run_id) is None
    assert await world.engine.run_batch(run_id) is None
    assert await world.live_keys() == set()


async def waits_for_signal(world: EngineWorld, name: str, mode: str = "0") -> str:
    run_id = await world.engine.rerun(rerun())
    item, _ = await world.lease_one()
    assert item.run_id == run_id
    await world.commit(item, "G", "s", f"{run_id}.s", name, mode, world.now + 9_000, "0", b"", b"", 0)
    return run_id


async def test_a_signal_goes_to_the_one_who_waits(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", "app/go"))
    assert await world.engine.send_signal("env", "go", b"1") is None
    run_id = await waits_for_signal(world, "go")
    assert await world.engine.send_signal("env", "other", b"1") is None
    assert await world.engine.send_signal("env2", "go", b"1") is None
    assert await world.engine.send_signal("env", "go", b'{"x":"\xc3\xa9"}') == run_id
    assert await world.memos(run_id) == {"s": b'{"data":{"data":{"x":"\xc3\xa9"},"signal":"go"}}'}
    (record,) = await world.records(StepRecorded)
    assert (record.step_id, record.op, record.status, record.output) == (
        "s", "WaitForSignal", "Completed", b'{"x":"\xc3\xa9"}',
    )  # fmt: skip
    assert await world.engine.send_signal("env", "go", b"2") is None


async def test_a_signal_in_the_moment_of_a_replacement(
    engine_world: EngineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = engine_world
    await world.publish(function("fn", "app/go"))
    await waits_for_signal(world, "go")
    execute = world.client.execute
    replaced: list[str] = []

    async def between(*command: str | bytes | int | float) -> object:
        reply = await execute(*command)
        if command[0] == "GET" and not replaced:
            replaced.append("")
            replaced.append(await waits_for_signal(world, "go", mode="1"))
        return reply

    monkeypatch.setattr(world.client, "execute", between)
    assert await world.engine.send_signal("env", "go", b"1") == replaced[1]
