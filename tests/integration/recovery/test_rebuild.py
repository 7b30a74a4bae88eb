"""After a loss of Redis every run goes on from history alone, wherever it stood (design 7)."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from apps.engine import clock
from apps.engine.functions import Batch, CancelRule, ConcurrencyLimit, Debounce
from apps.engine.keys import Keys
from apps.engine.recovery.verification import Verifier
from apps.engine.store.client import RedisClient
from apps.engine.store.views import parse_pairs
from apps.events.models import Event, EventOutcome, EventPayload
from apps.runs.choices import RunStatus, StepStatus
from apps.runs.models import Run, RunPayload, StepAttempt, StepPayload
from apps.runs.recovery.rebuild import Report
from tests.integration.engine.app_world import KEYS, Call, error, eventually, ops, plan, result, step
from tests.integration.recovery.recovery_world import ENV, RecoveryWorld, function_id

HOUR = "1h"


def nap(duration: str, step_id: str = "nap") -> dict[str, object]:
    return {"op": "Sleep", "id": step_id, "name": duration}


def wait(event: str, expression: str = "", step_id: str = "wait") -> dict[str, object]:
    opts = {"event": event, "timeout": HOUR, "if": expression}
    return {"op": "WaitForEvent", "id": step_id, "name": event, "opts": opts}


def signal(name: str) -> dict[str, object]:
    return {"op": "WaitForSignal", "id": "signal", "name": name, "opts": {"signal": name, "timeout": HOUR}}


def invoke(name: str) -> dict[str, object]:
    opts = {"function_id": f"app-{name}", "payload": {"data": {}}, "timeout": HOUR}
    return {"op": "InvokeFunction", "id": "invoke", "name": name, "opts": opts}


class Script:
    """A function of steps in a row; each is an op, or the name of a step with code."""

    def __init__(self, world: RecoveryWorld, name: str, *stages: dict[str, object] | str) -> None:
        self._world, self._name, self._stages = world, name, stages

    def __call__(self, call: Call) -> web.Response:
        for stage in self._stages:
            step_id = stage if isinstance(stage, str) else str(stage["id"])
            if step_id not in call.steps:
                return self._run(step_id) if isinstance(stage, str) else ops(stage)
        return result(call.steps)

    def _run(self, step_id: str) -> web.Response:
        self._world.executed[(self._name, step_id)] += 1
        return ops(step(step_id, step_id))


async def scripted(
    world: RecoveryWorld, name: str, *stages: dict[str, object] | str, **changes: object
) -> None:
    await world.publish(name, Script(world, name, *stages), **changes)


async def reached(world: RecoveryWorld, step_id: str, status: StepStatus) -> None:
    """Wait until history says so of the step."""

    def look() -> bool:
        rows = StepAttempt.objects.using(world.using).filter(step_id=step_id, status=status)
        return rows.exists()

    async def holds() -> bool:
        return await world.database.read(look)

    await eventually(holds)


async def scheduled(world: RecoveryWorld) -> None:
    """Wait until history knows a run."""

    async def holds() -> bool:
        return len(await world.rows()) == 1

    await eventually(holds)


async def interrupt(world: RecoveryWorld, is_there: Callable[[], Awaitable[None]]) -> None:
    """Work until `is_there`, then lose Redis once history knows all."""
    async with world.at_work():
        await is_there()
    await world.drain()
    await world.flush()


async def assert_healthy(world: RecoveryWorld) -> None:
    found = await Verifier(world.app.engine.client, Keys("0")).check_everything(repair=False)
    assert found == {}


async def test_a_queued_run_starts(recovery: RecoveryWorld) -> None:
    await scripted(recovery, "f", "a", paused=False, concurrency=(ConcurrencyLimit(1),))
    hold = recovery.app.engine.client
    await hold.execute("SADD", f"{KEYS.prefix}:h:f:{function_id('f')}", "nobody")
    await recovery.send("app/f")
    await interrupt(recovery, lambda: scheduled(recovery))
    assert recovery.app.calls == []
    assert await recovery.rebuild() == Report(restored=1)
    await assert_healthy(recovery)
    async with recovery.at_work():
        await recovery.all_end(1)
    assert recovery.executed == {("f", "a"): 1}
    assert recovery.app.calls[0].ctx["attempt"] == 0


async def test_finished_steps_are_not_called_again(recovery: RecoveryWorld) -> None:
    await scripted(recovery, "f", "a", "b", nap("1s"), "c")
    await recovery.send("app/f", {"n": 1})
    await interrupt(recovery, lambda: reached(recovery, "nap", StepStatus.SLEEPING))
    assert await recovery.rebuild() == Report(restored=1)
    await assert_healthy(recovery)
    async with recovery.at_work():
        (run,) = await recovery.all_end(1)
    assert recovery.executed == {("f", "a"): 1, ("f", "b"): 1, ("f", "c"): 1}
    assert run.version > 0
    last = recovery.app.calls[-1]
    assert last.steps == {"a": {"data": "a"}, "b": {"data": "b"}, "nap": None, "c": {"data": "c"}}
    assert last.stack == {"stack": ["a", "b", "nap", "c"], "current": 4}


async def test_a_wait_goes_on_waiting_for_its_event(recovery: RecoveryWorld) -> None:
    await scripted(recovery, "f", "a", wait("go", "async.data.n == event.data.n"), "b")
    await recovery.send("app/f", {"n": 7})
    await interrupt(recovery, lambda: reached(recovery, "wait", StepStatus.WAITING))
    assert await recovery.rebuild() == Report(restored=1)
    await assert_healthy(recovery)
    async with recovery.at_work():
        await recovery.send("go", {"n": 8})
        await recovery.send("go", {"n": 7})
        await recovery.all_end(1)
    assert recovery.executed == {("f", "a"): 1, ("f", "b"): 1}
    received = recovery.app.calls[-1].steps["wait"]
    assert isinstance(received, dict)
    assert received["data"] == {"n": 7}


async def test_a_signal_finds_its_waiter(recovery: RecoveryWorld) -> None:
    await scripted(recovery, "f", signal("s"), "b")
    await recovery.send("app/f")
    await interrupt(recovery, lambda: reached(recovery, "signal", StepStatus.WAITING))
    assert await recovery.rebuild() == Report(restored=1)
    async with recovery.at_work():
        (run,) = await recovery.rows()
        assert await recovery.app.engine.send_signal(ENV, "s", b"1") == run.run_id
        await recovery.all_end(1)


async def test_an_invoke_gets_the_result_of_its_run(recovery: RecoveryWorld) -> None:
    await scripted(recovery, "f", invoke("child"), "b")
    await scripted(recovery, "child", "x", nap("1s"), "y")
    await recovery.send("app/f")
    await interrupt(recovery, lambda: reached(recovery, "nap", StepStatus.SLEEPING))
    assert await recovery.rebuild() == Report(restored=2)
    await assert_healthy(recovery)
    async with recovery.at_work():
        await recovery.all_end(2)
    assert recovery.executed == {("f", "b"): 1, ("child", "x"): 1, ("child", "y"): 1}
    memo = recovery.app.calls[-1].steps["invoke"]
    assert memo == {"data": {"x": {"data": "x"}, "nap": None, "y": {"data": "y"}}}


async def test_an_invoke_whose_run_has_ended_has_its_result(recovery: RecoveryWorld) -> None:
    await scripted(recovery, "f", invoke("child"), "b")
    await scripted(recovery, "child", "x")
    await recovery.send("app/f")
    async with recovery.at_work():
        await reached(recovery, "x", StepStatus.COMPLETED)
        await recovery.all_end(2)
    # History as it is when the end of the child was stored and nothing after it.
    (parent,) = [row for row in await recovery.rows() if row.event_name == "app/f"]
    await recovery.database.read(lambda: _reopen_invoke(recovery, parent.run_id))
    await recovery.flush()
    recovery.executed.clear()
    # The last events of the first time may have had no outcome yet.
    assert (await recovery.rebuild()).restored == 1
    async with recovery.at_work():
        await recovery.all_end(2)
    assert recovery.executed == {("f", "b"): 1}
    assert recovery.app.calls[-1].steps["invoke"] == {"data": {"x": {"data": "x"}}}


def _reopen_invoke(world: RecoveryWorld, run_id: str) -> None:
    Run.objects.using(world.using).filter(run_id=run_id).update(status=RunStatus.RUNNING, ended_at=None)
    RunPayload.objects.using(world.using).filter(run_id=run_id).delete()
    for model in (StepAttempt, StepPayload):
        model.objects.using(world.using).filter(run_id=run_id).exclude(step_id="invoke").delete()
    StepPayload.objects.using(world.using).filter(run_id=run_id).delete()
    rows = StepAttempt.objects.using(world.using).filter(run_id=run_id, step_id="invoke")
    rows.update(status=StepStatus.INVOKING, ended_at=None)


async def test_a_retry_keeps_its_attempt_and_its_time(recovery: RecoveryWorld) -> None:
    attempts: list[object] = []

    def handler(call: Call) -> web.Response:
        if "a" not in call.steps:
            return ops(step("a", 1))
        if "b" in call.steps:
            return result(1)
        attempts.append(call.ctx["attempt"])
        if call.ctx["attempt"] == 0:
            failed = {"op": "StepError", "id": "b", "name": "b", "error": {"name": "E", "message": "no"}}
            return ops(failed, Retry_After="2")
        return ops(step("b", 2))

    await recovery.publish("f", handler)
    await recovery.send("app/f")
    await interrupt(recovery, lambda: reached(recovery, "b", StepStatus.ERRORED))
    assert await recovery.rebuild() == Report(restored=1)
    failed = await recovery.database.read(
        lambda: StepAttempt.objects.using(recovery.using).get(step_id="b", attempt=0)
    )
    async with recovery.at_work():
        await recovery.all_end(1)
    assert attempts == [0, 1]
    done = await recovery.database.read(
        lambda: StepAttempt.objects.using(recovery.using).get(step_id="b", attempt=1)
    )
    assert done.status == StepStatus.COMPLETED
    assert (done.started_at or 0) - (failed.ended_at or 0) >= 1_000


async def test_own_code_keeps_its_attempts(recovery: RecoveryWorld) -> None:
    attempts: list[object] = []

    def handler(call: Call) -> web.Response:
        if "a" not in call.steps:
            return ops(step("a", 1))
        attempts.append(call.ctx["attempt"])
        return error("no", Retry_After="1") if call.ctx["attempt"] == 0 else result(1)

    await recovery.publish("f", handler)
    await recovery.send("app/f")
    await interrupt(recovery, lambda: reached(recovery, "", StepStatus.ERRORED))
    await recovery.rebuild()
    async with recovery.at_work():
        await recovery.all_end(1)
    assert attempts == [0, 1]


async def test_a_parallel_group_that_is_half_done_goes_on(recovery: RecoveryWorld) -> None:
    blocked = asyncio.Event()

    async def handler(call: Call) -> web.Response:
        if call.step_id != "step":
            if call.step_id in ("p1", "p2") and not blocked.is_set():
                await blocked.wait()
            recovery.executed[("f", call.step_id)] += 1
            return ops(step(call.step_id, call.step_id))
        group: list[dict[str, object]] = [plan("p0"), plan("p1"), plan("p2"), nap("500ms"), wait("go")]
        missing = [op for op in group if op["id"] not in call.steps]
        return ops(*missing) if missing else result(sorted(call.steps))

    await recovery.publish("f", handler)
    await recovery.send("app/f")
    await interrupt(recovery, lambda: reached(recovery, "p0", StepStatus.COMPLETED))
    blocked.set()
    assert await recovery.rebuild() == Report(restored=1)
    await assert_healthy(recovery)
    recovery.executed[("f", "p1")] = recovery.executed[("f", "p2")] = 0
    async with recovery.at_work():
        await recovery.send("go")
        await recovery.all_end(1)
    assert recovery.executed == {("f", "p0"): 1, ("f", "p1"): 1, ("f", "p2"): 1}


async def test_a_run_of_the_future_keeps_its_time(recovery: RecoveryWorld) -> None:
    await scripted(recovery, "f", "a")
    due = clock.now_ms() + 1500
    await recovery.send("app/f", start_at=due)
    await interrupt(recovery, lambda: scheduled(recovery))
    assert await recovery.rebuild() == Report(restored=1)
    async with recovery.at_work():
        (run,) = await recovery.all_end(1)
    assert (run.started_at or 0) >= due


async def test_a_cancel_rule_still_cancels(recovery: RecoveryWorld) -> None:
    rule = CancelRule("stop", "async.data.n == event.data.n")
    await scripted(recovery, "f", "a", nap(HOUR), cancel=(rule,))
    await recovery.send("app/f", {"n": 1})
    await interrupt(recovery, lambda: reached(recovery, "nap", StepStatus.SLEEPING))
    await recovery.rebuild()
    async with recovery.at_work():
        await recovery.send("stop", {"n": 1})
        await recovery.all_end(1, RunStatus.CANCELLED)


async def test_a_run_keeps_its_finish_timeout(recovery: RecoveryWorld) -> None:
    await scripted(recovery, "f", "a", nap(HOUR), finish_timeout_ms=1500)
    await recovery.send("app/f")
    await interrupt(recovery, lambda: reached(recovery, "nap", StepStatus.SLEEPING))
    await recovery.rebuild()
    async with recovery.at_work():
        await recovery.all_end(1, RunStatus.CANCELLED)


async def test_an_event_without_an_outcome_is_handled(recovery: RecoveryWorld) -> None:
    await scripted(recovery, "f", "a")
    event_id = await recovery.send("app/f")
    await recovery.drain()  # history has the event; no runner was there
    await recovery.flush()
    assert await recovery.rebuild() == Report(events=1)
    async with recovery.at_work():
        await recovery.all_end(1)
    await recovery.drain()
    await recovery.flush()
    assert await recovery.rebuild() == Report()
    rows = await recovery.database.read(
        lambda: (
            Event.objects.using(recovery.using).filter(internal_id=event_id).count(),
            EventOutcome.objects.using(recovery.using).filter(internal_id=event_id).count(),
        )
    )
    assert rows == (1, 1)


async def test_an_event_of_which_only_the_outcome_got_lost_starts_nothing_again(
    recovery: RecoveryWorld,
) -> None:
    await scripted(recovery, "f", "a")
    await recovery.send("app/f")
    async with recovery.at_work():
        await recovery.all_end(1)
    await recovery.drain()
    await recovery.database.read(lambda: EventOutcome.objects.using(recovery.using).all().delete())
    await recovery.flush()
    report = await recovery.rebuild()
    assert (report.restored, report.live) == (0, 0)
    async with recovery.at_work():
        await recovery.send("app/f")
        await recovery.all_end(2)
    assert recovery.executed == {("f", "a"): 2}


async def test_ids_that_may_come_again_are_remembered(recovery: RecoveryWorld) -> None:
    await scripted(recovery, "f", "a")
    first = await recovery.send("app/f", remember=True)
    async with recovery.at_work():
        await recovery.all_end(1)
    await recovery.drain()
    await recovery.flush()
    assert (await recovery.rebuild()).keys == 1
    async with recovery.at_work():
        (run,) = await recovery.rows()
        key = f"{KEYS.prefix}:idem:*"
        (name,) = await recovery.app.engine.client.execute("KEYS", key)
        assert await recovery.app.engine.client.execute("GET", name) == run.run_id.encode()
        assert 0 < await recovery.app.engine.client.execute("PTTL", name) <= 86_400_000
    assert first


async def test_a_second_rebuild_changes_nothing(recovery: RecoveryWorld) -> None:
    await scripted(recovery, "f", "a", nap("1s"))
    await recovery.send("app/f")
    await interrupt(recovery, lambda: reached(recovery, "nap", StepStatus.SLEEPING))
    assert await recovery.rebuild(dry_run=True) == Report(restored=1)
    assert await recovery.app.left_over() == set()
    await recovery.rebuild()
    before = await dump(recovery)
    assert await recovery.rebuild() == Report(live=1)
    assert await dump(recovery) == before
    async with recovery.at_work():
        await recovery.all_end(1)


async def test_a_queue_that_is_whole_stays_as_it_is(recovery: RecoveryWorld) -> None:
    await scripted(recovery, "f", "a", wait("go"))
    await recovery.send("app/f")
    async with recovery.at_work():
        await reached(recovery, "wait", StepStatus.WAITING)
    await recovery.drain()
    before = await dump(recovery)
    assert await recovery.rebuild() == Report(live=1)
    assert await dump(recovery) == before


async def test_a_run_that_cannot_be_restored_ends_as_failed(recovery: RecoveryWorld) -> None:
    await scripted(recovery, "f", "a", nap(HOUR))
    await recovery.send("app/f")
    await interrupt(recovery, lambda: reached(recovery, "nap", StepStatus.SLEEPING))
    await recovery.database.read(lambda: EventPayload.objects.using(recovery.using).all().delete())
    assert await recovery.rebuild() == Report(failed=1)
    async with recovery.at_work():
        await recovery.all_end(1, RunStatus.FAILED)
    (ended,) = await recovery.ends()
    assert msgspec.json.decode(ended.output)["name"] == "StateLost"


async def held(world: RecoveryWorld, count: int) -> None:
    """Wait until history knows the outcome of so many events."""

    async def holds() -> bool:
        return await world.database.read(lambda: EventOutcome.objects.using(world.using).count()) >= count

    await eventually(holds)


async def test_an_open_batch_is_filled_again(recovery: RecoveryWorld) -> None:
    await scripted(recovery, "f", "a", batch=Batch(max_size=2, timeout_ms=1000))
    for number in range(3):
        await recovery.send("app/f", {"n": number})
    await interrupt(recovery, lambda: held(recovery, 3))
    # Two events fill a batch, whose run has ended or is put back; the third is held back again.
    assert (await recovery.rebuild(was_emptied=True)).events == 1
    async with recovery.at_work():
        await recovery.all_end(2)
    numbers = [[event["data"]["n"] for event in call.body["events"]] for call in recovery.app.calls]  # type: ignore[attr-defined]
    assert sorted(numbers[-1]) == [2]
    assert recovery.executed == {("f", "a"): 2}


async def test_the_latest_debounced_event_is_held_back_again(recovery: RecoveryWorld) -> None:
    await scripted(recovery, "f", "a", debounce=Debounce(period_ms=1500, key="event.data.k"))
    for number, key in enumerate(["x", "x", "y"]):
        await recovery.send("app/f", {"n": number, "k": key})
    await interrupt(recovery, lambda: held(recovery, 3))
    assert (await recovery.rebuild(was_emptied=True)).events == 2
    async with recovery.at_work():
        await recovery.all_end(2)
    numbers = {call.body["event"]["data"]["n"] for call in recovery.app.calls}  # type: ignore[index]
    assert numbers == {1, 2}


async def test_a_debounce_that_has_fired_is_over(recovery: RecoveryWorld) -> None:
    await scripted(recovery, "f", "a", debounce=Debounce(period_ms=100))
    for number in range(2):
        await recovery.send("app/f", {"n": number})
    async with recovery.at_work():
        await recovery.all_end(1)
    await recovery.drain()
    await recovery.flush()
    assert await recovery.rebuild(was_emptied=True) == Report()


async def dump(world: RecoveryWorld) -> dict[bytes, object]:
    """All keys but those that a reader of the streams touches."""
    client = world.app.engine.client
    keys = sorted(await client.execute("KEYS", "*"))
    return {key: await _value(client, key) for key in keys if not key.endswith((b":events", b":history"))}


async def _value(client: RedisClient, key: bytes) -> object:
    """What a key holds, whatever order Redis keeps it in."""
    match await client.execute("TYPE", key):
        case b"hash":
            return parse_pairs(await client.execute("HGETALL", key))
        case b"set":
            return set(await client.execute("SMEMBERS", key))
        case _:
            return await client.execute("DUMP", key)
