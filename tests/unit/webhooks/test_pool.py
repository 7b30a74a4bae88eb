"""The pool itself: whatever a call does to it, the next one is served, and nobody waits forever."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from apps.webhooks.runtime import pool as pool_module
from apps.webhooks.runtime.lanes import preview_lane
from apps.webhooks.runtime.messages import LENGTH_BYTES, Call, Ending
from apps.webhooks.runtime.pool import PoolUnavailable, ScriptPool

SCRIPT = "function transform() { return null; }"
WAIT_SECONDS = 10.0


class FakeProcess:
    """Answers each frame with `answer`, once `go` is set."""

    is_sealed = True

    def __init__(self, answer: bytes, go: threading.Event) -> None:
        self.calls = 0
        self._answer = answer
        self._go = go

    def call(self, frame: bytes, seconds: float) -> bytes:
        assert len(frame) > LENGTH_BYTES
        assert self._go.wait(WAIT_SECONDS)
        return self._answer

    def kill(self) -> None:
        return


@pytest.fixture
def single() -> Iterator[ScriptPool]:
    found = ScriptPool(1)
    yield found
    found.close()


def answering(monkeypatch: pytest.MonkeyPatch, answer: bytes) -> threading.Event:
    go = threading.Event()
    monkeypatch.setattr(pool_module, "WorkerProcess", lambda: FakeProcess(answer, go))
    return go


def test_a_call_that_cannot_be_sent_takes_no_worker_with_it(single: ScriptPool) -> None:
    unsendable = single.submit("a", Call(SCRIPT, raw="\ud800"))
    with pytest.raises(UnicodeEncodeError):
        unsendable.result(WAIT_SECONDS)
    assert single.submit("a", Call(SCRIPT)).result(WAIT_SECONDS).ending == Ending.OK


def test_an_answer_without_a_bottom_is_that_of_a_crash(
    monkeypatch: pytest.MonkeyPatch, single: ScriptPool
) -> None:
    answering(monkeypatch, b'{"ending":"ok","x":' + b"[" * 200_000).set()
    assert single.submit("a", Call(SCRIPT)).result(WAIT_SECONDS).ending == Ending.CRASHED


def test_a_preview_and_a_delivery_of_one_tenant_leave_a_worker_to_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go = answering(monkeypatch, b'{"ending":"ok"}')
    pool = ScriptPool(2)
    delivery, preview = (pool.submit(lane, Call(SCRIPT)) for lane in ("a", preview_lane("a")))
    other = pool.submit("b", Call(SCRIPT))
    deadline = time.monotonic() + WAIT_SECONDS
    while not other.running():
        assert time.monotonic() < deadline
    assert [delivery.running(), preview.running()].count(True) == 1
    go.set()
    assert [found.result(WAIT_SECONDS).ending for found in (delivery, preview, other)] == [Ending.OK] * 3
    pool.close()


def test_closing_fails_who_waits_and_passes_over_who_has_left(monkeypatch: pytest.MonkeyPatch) -> None:
    go = answering(monkeypatch, b'{"ending":"ok"}')
    pool = ScriptPool(1)
    under_way, left, waiting = (pool.submit("a", Call(SCRIPT)) for _ in range(3))
    while not under_way.running():
        assert not under_way.done()
    assert left.cancel()
    with ThreadPoolExecutor() as threads:
        closing = threads.submit(pool.close)
        closing.add_done_callback(lambda _: go.set())
        with pytest.raises(PoolUnavailable):
            waiting.result(WAIT_SECONDS)
        go.set()
        closing.result(WAIT_SECONDS)
    assert under_way.result(WAIT_SECONDS).ending == Ending.OK
