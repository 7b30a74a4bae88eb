"""Checkpoints in the engine (spec 01, 14.1; spec 04, 4.4 to 4.6)."""

from collections.abc import Mapping
from typing import TypeAlias

import msgspec
import pytest

from apps.engine.checkpoints import CheckpointRefused, save_checkpoint
from apps.engine.protocol.requests import encode_qi_id
from apps.engine.records import StepRecorded
from apps.engine.store.views import Item
from tests.integration.engine.engine_world import EngineWorld, function

A, B = "a" * 40, "b" * 40


Step: TypeAlias = Mapping[str, object]


def step(step_id: str, data: object = 1, op: str = "StepRun", **members: object) -> Step:
    return {"op": op, "id": step_id, "name": "a", "data": data, **members}


async def leased(world: EngineWorld) -> Item:
    await world.publish(function("fn", "app/go"))
    await world.send("app/go")
    await world.handle()
    return (await world.lease_one()).item


async def save(world: EngineWorld, item: Item, *steps: Step, **members: object) -> None:
    body = {"qi_id": encode_qi_id(item.id, "0"), "generation_id": item.generation, "steps": steps, **members}
    await save_checkpoint(world.queue, "env", item.run_id, msgspec.json.encode(body))


async def refusal(world: EngineWorld, item: Item, *steps: Step, **members: object) -> str:
    with pytest.raises(CheckpointRefused) as refused:
        await save(world, item, *steps, **members)
    return f"{refused.value.status} {refused.value}"


async def test_results_are_saved_in_order_without_a_discovery(engine_world: EngineWorld) -> None:
    world = engine_world
    item = await leased(world)
    timing = {"a": (world.now + 5) * 1_000_000, "b": 7_000_000}
    await save(
        world,
        item,
        step(
            B,
            {"v": "é"},
            displayName="shown",
            timing=timing,
            userland={"id": "b", "index": 2},
            opts={"input": [1]},
        ),
        step(A, op="Step", data={"raw": True}),
    )
    state = await world.queue.state(item.run_id)
    assert state is not None
    assert (state.stack, state.memos) == ([B, A], {B: '{"data":{"v":"é"}}'.encode(), A: b'{"raw":true}'})
    assert await world.lease() == []
    first, second = await world.records(StepRecorded)
    assert first == StepRecorded(
        item.run_id, B, 0, "StepRun", "Completed", name="shown", queued_at=world.now + 5,
        started_at=world.now + 5, ended_at=world.now + 12, output='{"v":"é"}'.encode(), input=b"[1]",
        info=b'{"user_id":"b","index":2}',
    )  # fmt: skip
    assert (second.step_id, second.started_at, second.ended_at) == (A, world.now, world.now)


async def test_a_planned_step_is_only_shown(engine_world: EngineWorld) -> None:
    world = engine_world
    item = await leased(world)
    await save(world, item, step(A, op="StepPlanned"))
    assert await world.memos(item.run_id) == {}
    (record,) = await world.records(StepRecorded)
    assert (record.step_id, record.status, record.ended_at) == (A, "Running", 0)


async def test_the_first_result_of_a_step_stays(engine_world: EngineWorld) -> None:
    world = engine_world
    item = await leased(world)
    await save(world, item, step(A, 1))
    await save(world, item, step(A, 2), step(B, 3))
    assert await world.memos(item.run_id) == {A: b'{"data":1}', B: b'{"data":3}'}


async def test_nothing_of_a_refused_request_is_saved(engine_world: EngineWorld) -> None:
    world = engine_world
    item = await leased(world)
    assert await refusal(world, item, step(A), step(B, op="Sleep")) == "400 cannot checkpoint async steps"
    assert await world.memos(item.run_id) == {}
    assert await world.records(StepRecorded) == []


@pytest.mark.parametrize("op", ["RunComplete", "SyncRunComplete", "StepFailed"])
async def test_an_end_is_no_checkpoint(engine_world: EngineWorld, op: str) -> None:
    item = await leased(engine_world)
    error = {"error": {"name": "E", "message": "m"}}
    assert await refusal(engine_world, item, step(A, op=op, **error)) == f"400 cannot checkpoint opcode: {op}"


@pytest.mark.parametrize(
    "op",
    ["StepError", "Sleep", "WaitForEvent", "InvokeFunction", "WaitForSignal", "Gateway", "AIGateway",
     "DiscoveryRequest"],
)  # fmt: skip
async def test_what_needs_the_server_is_no_checkpoint(engine_world: EngineWorld, op: str) -> None:
    item = await leased(engine_world)
    error = {"error": {"name": "E", "message": "m"}}
    assert await refusal(engine_world, item, step(A, op=op, **error)) == "400 cannot checkpoint async steps"


async def requeued(world: EngineWorld, item: Item) -> Item:
    await world.commit(item, "R", world.now, 1, "")
    return (await world.lease_one()).item


async def test_an_old_dispatch_is_fenced_off(engine_world: EngineWorld) -> None:
    world = engine_world
    item = await leased(world)
    again = await requeued(world, item)
    assert again.generation == 2
    message = "409 this dispatch has been superseded"
    assert await refusal(world, item, step(A), request_started_at=world.now) == message
    assert await refusal(world, item, step(A)) == message
    await save(world, again, step(A))
    assert await world.memos(item.run_id) == {A: b'{"data":1}'}


async def test_a_dispatch_whose_item_is_done(engine_world: EngineWorld) -> None:
    world = engine_world
    item = await leased(world)
    await world.commit(item, "S", A, b"1", "0")
    assert await refusal(world, item, step(B)) == "409 this dispatch has been superseded"
    assert await refusal(world, item, step(B), generation_id=None) == "400 queue item not found"
    other = item._replace(id="999")
    assert await refusal(world, other, step(B), generation_id=None) == "400 queue item not found"
    await save(world, item, step(B), qi_id=None)
    await save(world, item, step("c" * 40), qi_id="not one of ours")
    assert list(await world.memos(item.run_id) or ()) == [A, B, "c" * 40]


async def test_a_run_that_ended_stops_its_sdk(engine_world: EngineWorld) -> None:
    world = engine_world
    item = await leased(world)
    assert await world.engine.cancel_run("env", item.run_id, "test")
    assert await refusal(world, item, step(A)) == "409 run not found in state store"
    assert await refusal(world, item, step(A), qi_id=None) == "400 run not found in state store"


async def test_a_run_of_another_environment_is_unknown(engine_world: EngineWorld) -> None:
    world = engine_world
    item = await leased(world)
    body = msgspec.json.encode({"qi_id": encode_qi_id(item.id, "0"), "steps": [step(A)]})
    with pytest.raises(CheckpointRefused, match="run not found in state store") as refused:
        await save_checkpoint(world.queue, "env2", item.run_id, body)
    assert refused.value.status == 400
    assert await world.memos(item.run_id) == {}


async def test_progress_renews_the_attempts_and_only_progress(engine_world: EngineWorld) -> None:
    world = engine_world
    item = await requeued(world, await leased(world))
    await save(world, item)
    await save(world, item, step(A, op="StepPlanned"))
    assert await world.queue.attempt(item.id) == 1
    await save(world, item, step(A))
    assert await world.queue.attempt(item.id) == 0


async def test_the_limit_of_the_state(engine_world: EngineWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world = engine_world
    item = await leased(world)
    state = await world.queue.state(item.run_id)
    assert state is not None
    memo = b'{"data":"%b"}' % (b"x" * 100)
    monkeypatch.setattr("apps.engine.checkpoints.MAX_STATE_BYTES", state.size + 2 * len(memo))
    await save(world, item, step(A, "x" * 100), step(B, "x" * 100))
    await save(world, item, step(A, "x" * 100))
    assert await refusal(world, item, step("c" * 40, "")) == "413 run state is over the size limit"
    assert set(await world.memos(item.run_id) or ()) == {A, B}


@pytest.mark.parametrize("what", ["output", "input"])
async def test_the_limit_of_a_step(engine_world: EngineWorld, what: str) -> None:
    item = await leased(engine_world)
    big = "x" * (4 * 1024 * 1024)
    large = step(A, big) if what == "output" else step(A, opts={"input": [big]})
    assert await refusal(engine_world, item, large) == (
        f"413 step {A} {what} too large: step {what} size is greater than the limit"
    )


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[]", b"{", b'{"steps":{"op":1}}', b'{"steps":[null]}',
        b'{"steps":[{"op":"Nope","id":"x"}]}',
        b'{"steps":[{"op":"StepRun"}]}', b'{"generation_id":"1"}', b'{"qi_id":5}', b"\xff\xfe",
        b'{"steps":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"steps":[' + b",".join([b'{"op":"StepRun","id":"x"}'] * 1001) + b"]}",
    ],
)  # fmt: skip
async def test_a_malformed_body(engine_world: EngineWorld, body: bytes) -> None:
    item = await leased(engine_world)
    with pytest.raises(CheckpointRefused, match=r"^invalid request body: ") as refused:
        await save_checkpoint(engine_world.queue, "env", item.run_id, body)
    assert (refused.value.status, refused.value.names_run) == (400, False)


async def test_lone_surrogates_become_replacement_characters(engine_world: EngineWorld) -> None:
    world = engine_world
    item = await leased(world)
    body = b'{"steps":[{"op":"StepRun","id":"%b","data":"\\ud800!"}]}' % A.encode()
    await save_checkpoint(world.queue, "env", item.run_id, body)
    assert await world.memos(item.run_id) == {A: b'{"data":"\\ufffd!"}'}


async def test_deferrals_are_added_and_aborted(engine_world: EngineWorld) -> None:
    world = engine_world
    item = await leased(world)
    add = {"op": "DeferAdd", "id": A, "opts": {"fn_slug": "app-later", "input": {"n": 1}}}
    unusable = {"op": "DeferAdd", "id": B, "opts": {"input": 5}}
    await save(world, item, add, unusable)
    assert list(await world.queue.deferrals(item.run_id)) == [A]
    abort = {"op": "DeferAbort", "id": "d" * 40, "opts": {"target_hashed_id": A}}
    nothing = {"op": "DeferAbort", "id": "e" * 40, "opts": {"target_hashed_id": "nothing"}}
    await save(world, item, abort, nothing)
    await save(world, item, add)  # posted again, late
    stored = await world.queue.deferrals(item.run_id)
    assert msgspec.json.decode(stored[A]) == {
        "function_slug": "app-later",
        "input": {"n": 1},
        "aborted": True,
    }
    assert await world.memos(item.run_id) == {}
