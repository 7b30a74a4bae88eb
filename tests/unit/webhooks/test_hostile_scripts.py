"""Scripts that mean harm: each ends within its limits and costs its own process only."""

import os
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future

import pytest

from apps.webhooks.runtime import pool as pool_module
from apps.webhooks.runtime.messages import Call, Ending, Result
from apps.webhooks.runtime.pool import PoolBusy, PoolUnavailable, ScriptPool
from apps.webhooks.runtime.process import WorkerGone, WorkerLate, WorkerProcess
from tests.unit.webhooks.conftest import Run

GOOD = "function transform() { return null; }"
FOREVER = "function transform() { for (;;); }"
# Of the script, the grace of the pool, and a new process on a busy machine.
PATIENCE_SECONDS = 10.0

HOSTILE = {
    "loop": FOREVER,
    "loop at the top": "for (;;);",
    "loop in a getter of the result": "function transform() { return {get a() { for (;;); }}; }",
    "loop in toJSON": "function transform() { return {toJSON() { for (;;); }}; }",
    "loop in an error's message": "function transform() { throw {get message() { for (;;); }}; }",
    "loop in a promise": "function transform() { Promise.resolve().then(() => { for (;;); }); return null; }",
    "loop in a finally": "function transform() { try { for (;;); } finally { for (;;); } }",
    "loop in the console": "console.log({toJSON() { for (;;); }}); " + GOOD,
    "slow expression": "function transform() { return /^(a+)+$/.test('a'.repeat(60) + 'b'); }",
    "array that grows": "function transform() { const a = []; for (;;) a.push(Array(1e5).fill(a.length)); }",
    "array at once": "function transform() { return new Array(2 ** 27).fill({}).length; }",
    "text that doubles": "function transform() { let s = 'x', a = []; for (;;) { s += s; a.push([...s]); } }",
    "map that grows": "function transform() { const m = new Map(); for (let i = 0;; i++) m.set(i, {i}); }",
    "deep text": "function transform() { return JSON.parse('['.repeat(5e6) + ']'.repeat(5e6)); }",
}
THROWN = {
    "recursion": "function transform() { return transform() + 1; }",
    "buffers": "function transform() { const b = []; for (;;) b.push(new ArrayBuffer(2 ** 28)); }",
    "text beyond all limits": "function transform() { return 'x'.repeat(2 ** 30); }",
    "generator of code": "function transform() { return eval('('.repeat(1e5)); }",
    "proxies": "function transform() { return new Proxy({}, {ownKeys() { throw new Error('no'); }}); }",
    "frozen harness": "Object.freeze(Array.prototype); Array.prototype.push.call(Object.freeze([]), 1); "
    + GOOD,
}


@pytest.mark.parametrize("script", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_does_not_end_is_ended(run: Run, script: str) -> None:
    started = time.monotonic()
    result = run(script, is_preview=True)
    assert result.ending in (Ending.TIMEOUT, Ending.MEMORY, Ending.CRASHED)
    assert result.message
    assert time.monotonic() - started < PATIENCE_SECONDS
    assert run(GOOD).ending == Ending.OK


@pytest.mark.parametrize("script", THROWN.values(), ids=THROWN.keys())
def test_what_the_engine_itself_refuses(run: Run, script: str) -> None:
    assert run(script).ending == Ending.THROWN
    assert run(GOOD).ending == Ending.OK


def test_a_script_that_runs_out_of_memory_leaves_the_others_alone(run: Run) -> None:
    script = "function transform() { const a = []; for (;;) a.push(new Array(1e6).fill(1.5)); }"
    assert run(script, timeout_ms=5000).ending in (Ending.MEMORY, Ending.CRASHED)
    assert run(GOOD).ending == Ending.OK


@pytest.fixture
def own_pool() -> Iterator[ScriptPool]:
    pool = ScriptPool(2)
    yield pool
    pool.close()


def submit(pool: ScriptPool, lanes: Iterable[str]) -> list[Future[Result]]:
    return [pool.submit(lane, Call(FOREVER)) for lane in lanes]


def test_endless_scripts_of_one_tenant_do_not_keep_another_waiting(own_pool: ScriptPool) -> None:
    """One tenant fills its lane; the other's calls are served by the worker that the first may not have."""
    own_pool.run_sync("other", Call(GOOD))
    hostile = submit(own_pool, ["hostile"] * 20)
    started = time.monotonic()
    for _ in range(10):
        assert own_pool.run_sync("other", Call(GOOD)).ending == Ending.OK
    assert time.monotonic() - started < PATIENCE_SECONDS / 2
    assert not all(future.done() for future in hostile)


def test_a_killed_process_is_replaced(own_pool: ScriptPool) -> None:
    assert own_pool.run_sync("a", Call(FOREVER)).ending == Ending.TIMEOUT
    assert own_pool.run_sync("a", Call(GOOD)).ending == Ending.OK
    assert own_pool.replaced == 1


def test_a_lane_that_is_full_pushes_back(own_pool: ScriptPool) -> None:
    with pytest.raises(PoolBusy) as refused:
        submit(own_pool, ["hostile"] * (pool_module.MAX_WAITING_EACH + 2))
    assert refused.value.is_own_fault
    assert own_pool.run_sync("other", Call(GOOD)).ending == Ending.OK


def test_all_lanes_together_push_back(own_pool: ScriptPool) -> None:
    with pytest.raises(PoolBusy) as refused:
        submit(own_pool, (f"tenant-{number}" for number in range(pool_module.MAX_WAITING + 5)))
    assert not refused.value.is_own_fault


def test_a_call_that_waited_for_too_long_is_given_up(
    own_pool: ScriptPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "MAX_WAIT_SECONDS", -1.0)
    with pytest.raises(PoolBusy):
        own_pool.run_sync("a", Call(GOOD))


def test_closing_ends_the_processes_and_the_waiting(own_pool: ScriptPool) -> None:
    own_pool.run_sync("a", Call(GOOD))
    waiting = submit(own_pool, ["a"] * 5)
    own_pool.close()
    assert isinstance(waiting[-1].exception(timeout=10), PoolUnavailable)
    assert not [thread for thread in threading.enumerate() if thread in own_pool._threads]
    with pytest.raises(PoolBusy):
        own_pool.run_sync("a", Call(GOOD))


def test_without_processes_calls_fail(own_pool: ScriptPool, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_process() -> WorkerProcess:
        raise WorkerGone("no")

    monkeypatch.setattr(pool_module, "WorkerProcess", no_process)
    with pytest.raises(PoolUnavailable):
        own_pool.run_sync("a", Call(GOOD))


def test_a_process_is_replaced_after_its_calls(own_pool: ScriptPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "CALLS_PER_PROCESS", 3)
    for _ in range(7):
        assert own_pool.run_sync("a", Call(GOOD)).ending == Ending.OK
    assert own_pool.replaced >= 1


def test_a_process_that_says_what_it_must_not_is_gone() -> None:
    process = WorkerProcess()
    try:
        with pytest.raises((WorkerGone, WorkerLate)):
            process.call((1 << 30).to_bytes(4, "big"), 10.0)
    finally:
        process.kill()


def test_a_process_ends_with_its_parents_pipe() -> None:
    process = WorkerProcess()
    os.close(os.dup(process._in))
    assert process._process.stdin is not None
    process._process.stdin.close()
    assert process._process.wait(timeout=10) == 0
    process.kill()
