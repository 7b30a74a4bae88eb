"""The one place where synchronous code (views, services, tasks) meets the asynchronous engine.

A process that calls it gets one background event loop with one Engine; a call blocks its thread
until the engine has answered.
"""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable
from typing import TypeVar

from django.conf import settings

from apps.engine.engine import Engine
from apps.engine.flow.policy import FlowPolicy

Result = TypeVar("Result")

_TIMEOUT_SECONDS = 30.0


def flow_policy() -> FlowPolicy:
    """What the operator has decided about flow control, from the settings."""
    return FlowPolicy(
        rate_limit_mode=settings.STEPWELL_RATE_LIMIT_MODE,
        priority_seconds=settings.STEPWELL_PRIORITY_SECONDS,
        account_concurrency=settings.STEPWELL_ACCOUNT_CONCURRENCY,
    )


class _EngineThread:
    def __init__(self, url: str) -> None:
        self._url = url
        self._loop = asyncio.new_event_loop()
        self._engine: Engine | None = None
        self._connecting = asyncio.Lock()
        threading.Thread(target=self._loop.run_forever, name="engine-bridge", daemon=True).start()

    def call(self, action: Callable[[Engine], Awaitable[Result]]) -> Result:
        future = asyncio.run_coroutine_threadsafe(self._run(action), self._loop)
        try:
            return future.result(_TIMEOUT_SECONDS)
        except TimeoutError:
            future.cancel()
            raise

    async def _run(self, action: Callable[[Engine], Awaitable[Result]]) -> Result:
        async with self._connecting:
            if self._engine is None:
                self._engine = await Engine.connect(self._url, settings.STEPWELL_SHARD, flow_policy())
        return await action(self._engine)


_lock = threading.Lock()
_threads: dict[str, _EngineThread] = {}


def _forget_parent() -> None:
    """A forked child has none of its parent's threads."""
    global _lock
    _lock = threading.Lock()
    _threads.clear()


os.register_at_fork(after_in_child=_forget_parent)


def engine_call(action: Callable[[Engine], Awaitable[Result]]) -> Result:
    """Run `action` with this process's Engine. Raises what it raises, RedisUnavailable, and TimeoutError."""
    with _lock:
        thread = _threads.get(settings.REDIS_URL)
        if thread is None:
            thread = _threads[settings.REDIS_URL] = _EngineThread(settings.REDIS_URL)
    return thread.call(action)
