"""The timer service: fires what is due (sleeps, retries, expired pauses, run timeouts, cron ticks) and
returns leases past their end. It sleeps until the earliest due time, or until one is set before it.
"""

import asyncio
import logging

from apps.engine import clock
from apps.engine.lifecycle import RunEnder
from apps.engine.protocol import memos
from apps.engine.records import StepRecorded, encode_records
from apps.engine.services import repeat, unless_stopped
from apps.engine.store.functions import FunctionCache
from apps.engine.store.queue import Queue
from apps.engine.timers.cron import CronTicker

logger = logging.getLogger(__name__)

_LIMIT = 200
_LONGEST_IDLE_MS = 2_000
_SWEEP_SECONDS = 1.0
_TIMEOUT_REASONS = {"s": "start timeout", "f": "finish timeout"}
_PAUSE_OPS = {"wait": "WaitForEvent", "signal": "WaitForSignal", "invoke": "InvokeFunction"}


class TimerService:
    name = "timers"

    def __init__(self, queue: Queue, functions: FunctionCache) -> None:
        self._queue = queue
        self._waker = queue.client.clone()
        self._functions = functions
        self._ender = RunEnder(queue, functions)
        self._cron = CronTicker(queue, functions)

    async def run(self, stop: asyncio.Event) -> None:
        sweeping = asyncio.ensure_future(repeat(stop, _SWEEP_SECONDS, self._sweep))
        try:
            while not stop.is_set():
                await self._idle(stop, await self.turn())
        finally:
            sweeping.cancel()
            await self._waker.close()

    async def turn(self) -> int | None:
        """Follow changed functions, then `fire_due`."""
        await self._cron.follow_functions()
        return await self.fire_due()

    async def fire_due(self) -> int | None:
        """Fire all that is due now; returns when the next thing is, in ms, or None."""
        now = clock.now_ms()
        replies = await self._queue.library.call("tick", now, _LIMIT)
        timers, pauses, timeouts, crons = (int(float(reply)) for reply in replies)
        if 0 <= pauses <= now:
            await self._expire_pauses(now)
        if 0 <= timeouts <= now:
            await self._end_overdue_runs(now)
        if 0 <= crons <= now:
            await self._cron.fire(now)
        waiting = [due for due in (timers, pauses, timeouts, crons) if due >= 0]
        return min(waiting, default=None)

    async def _idle(self, stop: asyncio.Event, next_due: int | None) -> None:
        wait_ms = _LONGEST_IDLE_MS if next_due is None else min(_LONGEST_IDLE_MS, next_due - clock.now_ms())
        if wait_ms > 0:
            await unless_stopped(
                stop, self._waker.execute("BLPOP", f"{self._queue.prefix}:tick", max(wait_ms, 1) / 1000)
            )

    async def _expire_pauses(self, now: int) -> None:
        due = await self._queue.library.call("pauses_due", now, _LIMIT)
        commands = []
        for pause_id, kind, run_id, step_id in due:
            memo = memos.invoke_timeout_memo() if kind == b"invoke" else b"null"
            op = _PAUSE_OPS[kind.decode()]
            error = memo[len(b'{"error":') : -1] if kind == b"invoke" else b""
            record = StepRecorded(
                run_id.decode(), step_id.decode(), 0, op, "TimedOut", ended_at=now, error=error
            )
            commands.append(
                self._queue.library.command("resume_pause", now, pause_id, memo, encode_records([record]))
            )
        await self._queue.client.pipeline(commands)

    async def _end_overdue_runs(self, now: int) -> None:
        key = f"{self._queue.prefix}:rt"
        for raw in await self._queue.client.execute("ZRANGEBYSCORE", key, "-inf", now, "LIMIT", 0, _LIMIT):
            member = raw.decode()
            run_id, _, kind = member.partition("|")
            later = await self._deferred_until(run_id, kind, now)
            if later is not None:
                await self._queue.library.call("run_timeout", member, later)
            elif not await self._ender.cancel(run_id, _TIMEOUT_REASONS[kind]):
                await self._queue.client.execute("ZREM", key, member)

    async def _deferred_until(self, run_id: str, kind: str, now: int) -> int | str | None:
        """When the function's present configuration lets the run end; "" for never, None for now."""
        run = f"{self._queue.prefix}:run:{run_id}"
        function_id, due, began = await self._queue.client.execute("HMGET", run, "f", "du", "st")
        spec = self._functions.get((function_id or b"").decode())
        if spec is None:
            return None
        since, timeout_ms = (due, spec.start_timeout_ms) if kind == "s" else (began, spec.finish_timeout_ms)
        deadline = int(since or 0) + timeout_ms
        return "" if not timeout_ms else deadline if deadline > now else None

    async def _sweep(self) -> None:
        await self._queue.library.call("sweep", clock.now_ms(), _LIMIT)
