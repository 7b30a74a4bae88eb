"""Ending a run from outside of its own answers: cancellation by event, API or timeout."""

from apps.engine import clock, ending
from apps.engine.functions import FunctionSpec
from apps.engine.records import RunEnded, encode_records
from apps.engine.store.functions import FunctionCache
from apps.engine.store.queue import Queue


class RunEnder:
    def __init__(self, queue: Queue, functions: FunctionCache) -> None:
        self._queue = queue
        self._functions = functions

    async def cancel(self, run_id: str, reason: str, *, env_id: str | None = None, entry: str = "") -> bool:
        """End a live run as cancelled; True for the one caller that did it.

        With `env_id`, a run of another environment counts as unknown. `entry` is the stream entry of the
        event that cancels, which remembers it until its outcome is recorded.
        """
        now = clock.now_ms()
        state = await self._queue.state(run_id)
        if state is None:
            return False
        spec = await self._spec(run_id)
        if spec is None or (env_id is not None and spec.env_id != env_id):
            return False
        events = ending.ending_events(spec, run_id, state, ending.CANCELLED, now)
        record = RunEnded(run_id, ending.CANCELLED, now, reason=reason, started_at=state.started_at)
        arguments = ending.event_arguments(events)
        ended = await self._queue.library.call("finish", run_id, encode_records([record]), entry, *arguments)
        return int(ended) == 1

    async def _spec(self, run_id: str) -> FunctionSpec | None:
        raw = await self._queue.client.execute("HGET", f"{self._queue.prefix}:run:{run_id}", "f")
        if raw is None:
            return None
        spec = self._functions.get(raw.decode())
        if spec is None:
            await self._functions.refresh()
            spec = self._functions.get(raw.decode())
        return spec
