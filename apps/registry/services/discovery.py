"""Finding local apps and keeping known ones in sync (spec 01 12.3 and 12.4, spec 03 9.6)."""

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError, connections

from apps.engine.services import wait_for
from apps.registry import app_urls, configuration, ping_outcome, port_scan, selectors, sync_client
from apps.registry.selectors import PollTarget
from apps.registry.services import apps, ping
from apps.tenancy.models import DEV_ENVIRONMENT_ID

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

_CONCURRENT_PINGS = 16


class AppPoller:
    """Pings known apps each interval (only failing ones when polling is off) and looks for new ones.

    A round starts work and does not wait for it, so that an app that hangs holds up no other; `stop`
    gives up what is under way.
    """

    name = "app-poller"

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._places = asyncio.Semaphore(_CONCURRENT_PINGS)

    async def run(self, stop: asyncio.Event) -> None:
        # One thread, so that one database connection serves all rounds: opening it costs more than a round.
        with ThreadPoolExecutor(1, thread_name_prefix=self.name) as thread:
            self._thread = thread
            try:
                await self._in_thread(_ensure_configured_apps)
                while not stop.is_set():
                    await self._start_round()
                    await wait_for(stop, settings.STEPWELL_POLL_INTERVAL)
            finally:
                await self._give_up()
                thread.submit(connections.close_all)

    async def _start_round(self) -> None:
        for target in await self._in_thread(_due_targets):
            self._start(f"{target.environment_id} {target.url}", self._poll(target))
        if settings.STEPWELL_DISCOVERY:
            self._start("discovery", self._discover())

    def _start(self, key: str, work: Coroutine[object, object, None]) -> None:
        """Begin the work, unless the same is still going on from an earlier round."""
        if key in self._tasks:
            work.close()
            return
        self._tasks[key] = asyncio.create_task(self._finish(key, work))

    async def _finish(self, key: str, work: Coroutine[object, object, None]) -> None:
        try:
            async with self._places:
                await work
        except Exception:
            logger.exception("polling %s failed", key)
        finally:
            work.close()
            del self._tasks[key]

    async def _give_up(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _poll(self, target: PollTarget) -> None:
        if target.error == ping_outcome.UNREACHABLE and await self._in_thread(
            lambda: _is_refused(target.url)
        ):
            return
        await self._ping(target)

    async def _ping(self, target: PollTarget) -> ping.PingResult:
        pending = await self._in_thread(lambda: ping.begin(target.environment_id, target.url))
        reply = await ping.send(target.url, pending.keys)
        return await self._in_thread(lambda: ping.finish(pending, reply))

    async def _discover(self) -> None:
        """Ping the first app of each open port, until one has synced."""
        if await self._in_thread(lambda: selectors.is_any_app_synced(DEV_ENVIRONMENT_ID)):
            return
        ports = await self._in_thread(lambda: port_scan.open_ports(_candidate_ports()))
        await asyncio.gather(*(self._try_port(port) for port in ports))

    async def _try_port(self, port: int) -> None:
        for path in port_scan.PATHS:
            url = f"http://localhost:{port}{path}"
            if await _is_app(url):
                result = await self._ping(PollTarget(DEV_ENVIRONMENT_ID, url, ""))
                await self._in_thread(lambda: apps.app_discovered(DEV_ENVIRONMENT_ID, url, result))  # noqa: B023 awaited
                return

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, _with_connection, work)


def _with_connection(work: Callable[[], Result]) -> Result:
    try:
        return work()
    except DatabaseError:
        # The connection may be gone; the next round opens another.
        connections.close_all()
        raise


def _ensure_configured_apps() -> None:
    for url in settings.STEPWELL_SDK_URLS:
        try:
            apps.placeholder_ensure(DEV_ENVIRONMENT_ID, url)
        except app_urls.AppUrlError as error:
            logger.error("the app URL %r is not usable: %s", url, error)


def _due_targets() -> list[PollTarget]:
    """One target per environment and URL, in whichever form the URL was given."""
    targets = selectors.poll_targets(failing_only=not settings.STEPWELL_POLL)
    unique = {(target.environment_id, app_urls.normalise_or_keep(target.url)): target for target in targets}
    return list(unique.values())


def _is_refused(url: str) -> bool:
    """Whether nothing listens at a URL of this machine; False where only a real request can tell."""
    try:
        parts = urlsplit(url)
        port = parts.port or app_urls.DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError:
        return False
    is_local = parts.hostname in ("localhost", *app_urls.LOOPBACK_LITERALS)
    return is_local and not port_scan.open_ports([port])


def _candidate_ports() -> list[int]:
    """The usual ports and that of PORT, without our own."""
    extra = os.environ.get("PORT", "")
    ports = {*port_scan.PORTS, *([int(extra)] if extra.isdecimal() else [])}
    return sorted(ports - {urlsplit(settings.STEPWELL_BASE_URL).port or 0})


async def _is_app(url: str) -> bool:
    try:
        answer = await sync_client.probe(
            url, server_kind=configuration.server_kind(), policy=configuration.address_policy()
        )
    except sync_client.Unreachable:
        return False
    return answer.is_from_sdk
