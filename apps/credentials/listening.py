"""Changes reach every process: whoever changes something announces it, and caches forget it.

While the channel cannot be heard, entries still end by themselves (cache.py), within 10 s.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol
from uuid import UUID

import redis.asyncio
from redis.exceptions import RedisError

from apps.engine.services import unless_stopped
from apps.tenancy.announcements import CHANNEL

_POLL_SECONDS = 1.0
_RETRY_SECONDS = 1.0

_CONNECTION: Final[dict[str, Any]] = {
    "health_check_interval": 5,
    "socket_connect_timeout": 3,
    "socket_keepalive": True,
}

logger = logging.getLogger(__name__)


class Forgetful(Protocol):
    """A cache. `may_be_stale`: no change can have been missed, so that older entries may serve while nothing
    can be looked up."""

    may_be_stale: bool

    def forget_account(self, account_id: UUID) -> None: ...

    def forget_all(self) -> None: ...


class ChangeListener:
    """A service of every process that caches (apps/engine/services.py). `caches` are asked for anew at each
    connection, since tests replace them."""

    name = "credential changes"

    def __init__(self, url: str, caches: Callable[[], Sequence[Forgetful]]) -> None:
        self._url = url
        self._caches = caches
        self.is_listening = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await self._listen(stop)
            except (RedisError, OSError) as problem:
                logger.warning("changes of credentials are not heard for now: %s", problem)
                await _pause(stop)
            finally:
                self._set_listening(False)

    async def _listen(self, stop: asyncio.Event) -> None:
        client = redis.asyncio.Redis.from_url(self._url, **_CONNECTION)
        async with client, client.pubsub() as channel:
            await channel.subscribe(CHANNEL)
            await self._follow(channel, stop)

    async def _follow(self, channel: redis.asyncio.client.PubSub, stop: asyncio.Event) -> None:
        while not stop.is_set():
            reading = channel.get_message(timeout=_POLL_SECONDS)
            message: Any = await unless_stopped(stop, reading)
            if message is None:
                continue
            if message["type"] == "subscribe":
                self._set_listening(True)
            elif message["type"] == "message":
                self._forget(message["data"])

    def _set_listening(self, is_on: bool) -> None:
        """What changed before the subscription was not heard of."""
        for cache in self._caches():
            if is_on:
                cache.forget_all()
            cache.may_be_stale = is_on
        (self.is_listening.set if is_on else self.is_listening.clear)()

    def _forget(self, data: bytes) -> None:
        try:
            account_id = UUID(data.decode())
        except ValueError:
            logger.warning("an announcement that names no account is passed over")
            return
        for cache in self._caches():
            cache.forget_account(account_id)


async def _pause(stop: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stop.wait(), _RETRY_SECONDS)
    except TimeoutError:
        return
