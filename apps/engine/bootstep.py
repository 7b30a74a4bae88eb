"""The engine inside a Celery worker: a worker-level bootstep that owns one event loop in a thread.

It stands beside Celery's consumer, not inside it, so it goes on while the broker is away; warm
shutdown stops it with the worker; after kill -9 other workers take over as leases end (design 3).
"""

import asyncio
import logging
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import uvloop
from celery import bootsteps

from apps.engine.garbage import calm_garbage_collector
from apps.engine.services import Service, run_services, wait_for

logger = logging.getLogger(__name__)

ServiceFactory = Callable[[], Awaitable[Sequence[Service]]]

# Where a Celery worker keeps its engine, for the control commands.
ENGINE_ATTRIBUTE = "stepwell_engine"

# Beyond the grace that a worker gives its calls in flight (STEPWELL_DRAIN_SECONDS).
_STOP_SECONDS = 10.0
_FACTORY_RETRY_SECONDS = 1.0
# How long a thread that works for the database may keep the interpreter from the engine's loop.
_SWITCH_SECONDS = 0.0005


class EngineThread:
    """Runs services on an event loop of their own until stopped."""

    def __init__(self, factory: ServiceFactory, drain_seconds: float = 5.0) -> None:
        self._factory = factory
        self._stop_seconds = drain_seconds + _STOP_SECONDS
        self._loop = uvloop.new_event_loop()
        self._stop = asyncio.Event()
        self.services: Sequence[Service] = ()
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> None:
        self._thread.start()

    def call_soon(self, action: Callable[[], None]) -> None:
        """Run `action` on the engine's loop."""
        self._loop.call_soon_threadsafe(action)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(self._stop_seconds)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._main())

    async def _main(self) -> None:
        calm_garbage_collector()
        sys.setswitchinterval(_SWITCH_SECONDS)
        while not self._stop.is_set():
            try:
                self.services = await self._factory()
            except Exception:
                logger.exception("the engine cannot start, trying again")
                await wait_for(self._stop, _FACTORY_RETRY_SECONDS)
            else:
                await run_services(self.services, self._stop)


class EngineStep(bootsteps.StartStopStep):
    """Starts the engine after the pool; `factory` is set by the project before Celery builds its worker."""

    requires = ("celery.worker.components:Pool",)
    factory: ServiceFactory | None = None
    drain_seconds: float = 5.0

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self.enabled = type(self).factory is not None
        self._engine: EngineThread | None = None

    def start(self, parent: Any) -> None:
        factory = type(self).factory
        if factory is not None:
            self._engine = EngineThread(factory, type(self).drain_seconds)
            self._engine.start()
            setattr(parent, ENGINE_ATTRIBUTE, self._engine)

    def stop(self, parent: Any) -> None:
        started = time.monotonic()
        if self._engine is not None:
            self._engine.stop()
            self._engine = None
        logger.info("the engine stopped in %.1f s", time.monotonic() - started)

    terminate = stop
