"""Long-running parts of a process: what a bootstep starts and stops together."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from apps.engine.store.client import RedisUnavailable

logger = logging.getLogger(__name__)

_RESTART_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)
# A service that ran for this long had started well: its next restart is a first one again.
_STEADY_SECONDS = 60.0


class Service(Protocol):
    """Runs until `stop` is set, then returns within its own grace period."""

    name: str

    async def run(self, stop: asyncio.Event) -> None: ...


async def run_services(services: Sequence[Service], stop: asyncio.Event) -> None:
    """Run services side by side until `stop`; one that fails is logged and started again."""
    await asyncio.gather(*(_keep_running(service, stop) for service in services))


async def _keep_running(service: Service, stop: asyncio.Event) -> None:
    failures = 0
    while not stop.is_set():
        started = time.monotonic()
        await _attempt(service.name, lambda: service.run(stop))
        if time.monotonic() - started > _STEADY_SECONDS:
            failures = 0
        await wait_for(stop, _RESTART_SECONDS[min(failures, len(_RESTART_SECONDS) - 1)])
        failures += 1


async def _attempt(name: str, action: Callable[[], Awaitable[object]]) -> None:
    """Run `action`; its failure is logged, since nobody else would see it."""
    try:
        await action()
    except RedisUnavailable as exc:
        logger.warning("%s: Redis is not reachable (%s), trying again", name, exc)
    except Exception:
        logger.exception("%s failed, trying again", name)


async def wait_for(stop: asyncio.Event, seconds: float) -> bool:
    """Wait up to `seconds`; True when `stop` was set."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return False
    return True


async def repeat(stop: asyncio.Event, seconds: float, action: Callable[[], Awaitable[object]]) -> None:
    """Call `action` every `seconds` until `stop`. A call that fails is logged; the next one comes anyhow."""
    while not await wait_for(stop, seconds):
        await _attempt(getattr(action, "__qualname__", "chore"), action)


async def unless_stopped(stop: asyncio.Event, awaitable: Awaitable[object]) -> object | None:
    """The result of a blocking read, or None when `stop` came first (the read is then given up)."""
    reading = asyncio.ensure_future(awaitable)
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({reading, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return reading.result() if reading.done() else None
    finally:
        reading.cancel()
        stopping.cancel()
