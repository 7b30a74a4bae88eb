"""Worker processes for scripts: started with the first call, replaced when a script goes beyond its limits.

Each process belongs to a thread of this one, which waits for its answer and kills it when that is late. So
calls come from event loops (`run`) and from threads (`run_sync`) alike.
"""

import asyncio
import logging
import os
import threading
import time
from concurrent.futures import Future
from typing import Final, NamedTuple

import msgspec

from apps.webhooks.runtime.lanes import LaneFull, Lanes, QueueFull
from apps.webhooks.runtime.messages import Call, Ending, Result, decode_result, encode
from apps.webhooks.runtime.process import WorkerGone, WorkerLate, WorkerProcess

MAX_WAITING: Final = 128
MAX_WAITING_EACH: Final = 32
# A call that nobody has taken by then is given up: whoever delivers comes again.
MAX_WAIT_SECONDS: Final = 5.0
# On top of the script's own time: for sending, receiving, and V8's ending of the script.
GRACE_SECONDS: Final = 0.75
# A process is replaced after so many calls, whatever V8 may have left behind.
CALLS_PER_PROCESS: Final = 2_000

logger = logging.getLogger(__name__)


class PoolBusy(Exception):
    """More calls wait than may. `is_own_fault`: those of this lane alone are too many."""

    def __init__(self, *, is_own_fault: bool = False) -> None:
        super().__init__("too many webhook scripts are waiting to run")
        self.is_own_fault = is_own_fault


class PoolUnavailable(Exception):
    """No worker process can be started."""


class _Job(NamedTuple):
    call: Call
    future: "Future[Result]"
    expires_at: float


class ScriptPool:
    """`size` processes; one tenant has all of them but one, where there are several."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lanes: Lanes[_Job] = Lanes(
            max_waiting=MAX_WAITING,
            max_waiting_each=MAX_WAITING_EACH,
            max_running_each=max(1, size - 1),
        )
        self._start = threading.Lock()
        self._threads: list[threading.Thread] = []
        self.replaced = 0

    async def run(self, lane: str, call: Call) -> Result:
        """Raises PoolBusy, PoolUnavailable, UnicodeEncodeError. What the script does is in the result."""
        return await asyncio.wrap_future(self.submit(lane, call))

    def run_sync(self, lane: str, call: Call) -> Result:
        """`run` for code in a thread."""
        return self.submit(lane, call).result()

    def close(self) -> None:
        """End the processes; calls that wait fail with PoolUnavailable."""
        for job in self._lanes.close():
            if job.future.set_running_or_notify_cancel():
                job.future.set_exception(PoolUnavailable("the pool is closed"))
        for thread in self._threads:
            thread.join(timeout=MAX_WAIT_SECONDS)

    def submit(self, lane: str, call: Call) -> "Future[Result]":
        self._ensure_threads()
        job = _Job(call, Future(), time.monotonic() + MAX_WAIT_SECONDS)
        try:
            self._lanes.put(lane, job)
        except LaneFull:
            raise PoolBusy(is_own_fault=True) from None
        except QueueFull:
            raise PoolBusy from None
        return job.future

    def _ensure_threads(self) -> None:
        with self._start:
            if self._threads:
                return
            for number in range(self._size):
                thread = threading.Thread(target=self._work, name=f"webhook-scripts-{number}", daemon=True)
                self._threads.append(thread)
                thread.start()

    def _work(self) -> None:
        process = _started()
        while (taken := self._lanes.take()) is not None:
            lane, job = taken
            try:
                process = self._serve(process, job)
            finally:
                self._lanes.done(lane)
            # After `done`: while this one is replaced, another worker may serve the tenant.
            process = process or _started()
        if process is not None:
            process.kill()

    def _serve(self, process: WorkerProcess | None, job: _Job) -> WorkerProcess | None:
        """The process, where it may serve another call."""
        if not job.future.set_running_or_notify_cancel():
            return process
        if time.monotonic() > job.expires_at:
            job.future.set_exception(PoolBusy())
            return process
        process = process or _started()
        if process is None:
            job.future.set_exception(PoolUnavailable("no worker process starts"))
            return None
        try:
            result = _asked(process, job.call)
        except BaseException as problem:  # this thread serves all tenants: no call may end it
            process.kill()
            job.future.set_exception(problem)
            return None
        is_used_up = result.ending.is_limit or process.calls >= CALLS_PER_PROCESS
        if is_used_up:
            process.kill()
            self.replaced += 1
        job.future.set_result(result)
        return None if is_used_up else process


def _asked(process: WorkerProcess, call: Call) -> Result:
    started = time.monotonic()
    try:
        return decode_result(process.call(encode(call), call.timeout_ms / 1000 + GRACE_SECONDS))
    except WorkerLate:
        ending, message = Ending.TIMEOUT, f"the script took longer than {call.timeout_ms} ms"
    except (WorkerGone, msgspec.DecodeError, RecursionError):
        ending, message = Ending.CRASHED, "the script ended the process that it ran in"
    return Result(ending, message=message, duration_ms=round((time.monotonic() - started) * 1000))


def _started() -> WorkerProcess | None:
    try:
        process = WorkerProcess()
    except (OSError, WorkerGone, WorkerLate):
        logger.exception("a worker process for webhook scripts does not start")
        return None
    if not process.is_sealed:
        logger.warning("webhook scripts run with V8's isolation only: this system filters no system calls")
    return process


class _ProcessPool:
    """The pool of this process; a fork has its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: ScriptPool | None = None

    def get(self, size: int) -> ScriptPool:
        with self._lock:
            if self._pool is None:
                self._pool = ScriptPool(size)
            return self._pool

    def close(self) -> None:
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    def forget(self) -> None:
        """In a fork, where neither the threads nor the processes are ours."""
        self._lock = threading.Lock()
        self._pool = None


process_pool = _ProcessPool()
os.register_at_fork(after_in_child=process_pool.forget)
