"""The one place where synchronous code (views, services, tasks) meets the asynchronous engine.

A process that calls it gets one background event loop with one Engine; a call blocks its thread
until the engine has answered.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import TypeVar

from django.conf import settings

from apps.engine.engine import Engine

Result = TypeVar("Result")

_TIMEOUT_SECONDS = 30.0


class _EngineThread:
    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._engine: Engine | None = None
        threading.Thread(target=self._loop.run_forever, name="engine-bridge", daemon=True).start()

    def call(self, action: Callable[[Engine], Awaitable[Result]]) -> Result:
        future = asyncio.run_coroutine_threadsafe(self._run(action), self._loop)
        return future.result(_TIMEOUT_SECONDS)

    async def _run(self, action: Callable[[Engine], Awaitable[Result]]) -> Result:
        if self._engine is None:
            self._engine = await Engine.connect(settings.REDIS_URL, settings.STEPWELL_SHARD)
        return await action(self._engine)


_lock = threading.Lock()
_threads: dict[str, _EngineThread] = {}


def engine_call(action: Callable[[Engine], Awaitable[Result]]) -> Result:
    """Run `action` with this process's Engine. Raises what it raises, and RedisUnavailable."""
    with _lock:
        thread = _threads.get(settings.REDIS_URL)
        if thread is None:
            thread = _threads[settings.REDIS_URL] = _EngineThread()
    return thread.call(action)
