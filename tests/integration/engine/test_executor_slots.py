"""What a worker holds and gives back: slots, leases, faults, its end (spec 02, 5.6, 5.7 and 6.9)."""

import asyncio

import msgspec
import pytest
from aiohttp import web

from apps.engine import clock
from apps.engine.executor import answer, drive
from apps.engine.executor.drive import MAX_CONTINUATIONS
from apps.engine.functions import ConcurrencyLimit
from apps.engine.store.queue import Commit, Queue
from tests.integration.engine.app_world import (
    KEYS,
    AppWorld,
    Call,
    eventually,
    make_executor,
    ops,
    result,
    running,
    step,
)

A, B, C = "a" * 40, "b" * 40, "c" * 40


async def test_a_run_yields_to_another_of_its_function(app_world: AppWorld) -> None:
    """With one slot a run goes on for ten steps at most while work of other functions waits."""
    order: list[str] = []

    def handler(call: Call) -> web.Response:
        order.append(call.function)
        return ops(step(f"{len(call.steps):040}")) if len(call.steps) < 30 else result(1)

    def other(call: Call) -> web.Response:
        order.append(call.function)
        return result(1)

    await app_world.publish("long", handler)
    await app_world.publish("short", other)
    async with running(app_world, make_executor(app_world.engine.client, capacity=1)):
        await app_world.send("app/long")
        await eventually(lambda: _has_begun(order))
        for _ in range(3):
            await app_world.send("app/short")
        await app_world.ended(4)
    places = [place for place, name in enumerate(order) if name == "short"]
    assert len(places) == 3
    assert places[0] <= 3 * (MAX_CONTINUATIONS + 1)
    assert order[-1] == "long"


async def _is_empty(world: AppWorld) -> bool:
    return await world.left_over() == set()


async def _has_begun(order: list[str]) -> bool:
    return bool(order)


async def test_a_limit_on_steps_holds(platform: AppWorld) -> None:
    at_once, most = 0, 0

    async def handler(call: Call) -> web.Response:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.01)
        at_once -= 1
        return result(1) if call.steps else ops(step(A))

    await platform.publish("fn", handler, concurrency=(ConcurrencyLimit(2),))
    for _ in range(10):
        await platform.send("app/fn")
    await platform.ended(10)
    assert most == 2


async def test_a_run_that_was_cancelled_meanwhile_gives_everything_back(platform: AppWorld) -> None:
    async def handler(call: Call) -> web.Response:
        await platform.engine.cancel_run("env", call.run_id, "test")
        return ops(step(A))

    await platform.publish("fn", handler, concurrency=(ConcurrencyLimit(1),))
    ended = await platform.run_to_end("fn")
    assert ended.status == "Cancelled"
    await eventually(lambda: _is_empty(platform))


async def test_a_run_that_ends_between_two_of_its_requests_gives_its_slot_back(
    platform: AppWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cancelled after a commit that leased the next item, before its state was read."""
    state = Queue.state
    cancelled: list[str] = []

    async def cancel_first(self: Queue, run_id: str) -> object:
        if not cancelled:
            cancelled.append(run_id)
            await platform.engine.cancel_run("env", run_id, "test")
        return await state(self, run_id)

    await platform.publish("fn", lambda call: ops(step(A)), concurrency=(ConcurrencyLimit(1),))
    monkeypatch.setattr(Queue, "state", cancel_first)
    await platform.send("app/fn")
    assert (await platform.ended())[0].run_id == cancelled[0]
    await eventually(lambda: _is_empty(platform))


async def test_an_unknown_function_s_work_waits_uncounted(
    app_world: AppWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drive, "_UNKNOWN_FUNCTION_DELAY_MS", 300)
    await app_world.publish("fn", lambda call: result(1))
    await app_world.start("fn")
    spec = await app_world.engine.client.execute("HGET", KEYS.functions, "fn")
    await app_world.engine.client.execute("HDEL", KEYS.functions, "fn")
    async with running(app_world, make_executor(app_world.engine.client)):

        async def waits() -> bool:
            (item,) = await app_world.engine.client.execute("KEYS", f"{KEYS.prefix}:i:*")
            fields = await app_world.engine.client.execute("HMGET", item, "n", "g")
            return bool(fields == [b"0", b"2"])

        await eventually(waits)
        assert app_world.calls == []
        await app_world.engine.client.execute("HSET", KEYS.functions, "fn", spec)
        await app_world.engine.client.execute("INCR", KEYS.functions_version)
        assert (await app_world.ended())[0].status == "Completed"


async def test_a_fault_of_the_engine_costs_no_attempt(
    platform: AppWorld, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    faults = iter([True, True])

    def faulty(*args: object) -> None:
        if next(faults, False):
            raise ValueError("a fault of ours")
        answer.apply_answer(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(drive, "apply_answer", faulty)
    monkeypatch.setattr(drive, "_LONGEST_FAULT_DELAY_MS", 20)
    await platform.publish("fn", lambda call: result(1), retries=0)
    ended = await platform.run_to_end("fn")
    assert ended.status == "Completed"
    assert [call.ctx["attempt"] for call in platform.calls] == [0, 0, 0]
    assert caplog.text.count("failed in the engine, trying again") == 2


async def test_a_request_that_always_loses_its_worker_runs_out_of_attempts(app_world: AppWorld) -> None:
    await app_world.publish("fn", lambda call: result(1), retries=2)
    await app_world.start("fn")
    (leased,) = (await app_world.engine.queue.lease(1)).leased
    await app_world.engine.queue.commit(Commit(leased.item, ["R", clock.now_ms(), 3, ""]))
    async with running(app_world, make_executor(app_world.engine.client)):
        (ended,) = await app_world.ended()
    assert app_world.calls == []
    assert msgspec.json.decode(ended.output)["error"]["message"] == "The request has no attempt left."


async def test_stopping_lets_requests_end_and_gives_the_rest_back(app_world: AppWorld) -> None:
    entered, quick_may_go, never = asyncio.Semaphore(0), asyncio.Event(), asyncio.Event()

    async def slow(call: Call) -> web.Response:
        entered.release()
        await never.wait()
        return result(1)

    async def quick(call: Call) -> web.Response:
        entered.release()
        await quick_may_go.wait()
        return result(1)

    await app_world.publish("slow", slow)
    await app_world.publish("quick", quick)
    async with running(app_world, make_executor(app_world.engine.client, grace_seconds=0.3)):
        await app_world.send("app/slow")
        await app_world.send("app/quick")
        async with asyncio.timeout(10):
            await entered.acquire()
            await entered.acquire()
        app_world.stop.set()
        quick_may_go.set()
    (ended,) = await app_world.ended()
    assert ended.run_id == next(call.run_id for call in app_world.calls if call.function == "quick")
    assert await app_world.engine.client.execute("ZCARD", "{q:0}:leases") == 0
    (leased,) = (await app_world.engine.queue.lease(5)).leased
    assert (leased.item.attempt, leased.item.generation) == (0, 2)
    never.set()


async def test_a_request_of_the_server_s_own_whose_run_ended_gives_its_slot_back(platform: AppWorld) -> None:
    entered, may_go = asyncio.Event(), asyncio.Event()

    async def slow(call: Call) -> web.Response:
        entered.set()
        await may_go.wait()
        return result(1)

    await platform.publish("target", slow)
    url = f"{platform.url}/api?fnId=target&stepId=step"
    gateway = {"op": "Gateway", "id": A, "opts": {"url": url, "method": "POST", "body": "{}"}}
    await platform.publish("fn", lambda call: ops(gateway), concurrency=(ConcurrencyLimit(1),))
    await platform.send("app/fn")
    async with asyncio.timeout(10):
        await entered.wait()
    (run_id,) = [call.run_id for call in platform.calls if call.function == "fn"]
    assert await platform.engine.cancel_run("env", run_id, "test")
    assert "leases" in await platform.left_over()
    may_go.set()
    await eventually(lambda: _is_empty(platform))
