"""One runner a shard at a time, so that the events of a lane are handled in order."""

import asyncio
import os
import time

from apps.engine.services import repeat
from apps.engine.store.client import RedisClient, RedisUnavailable

_TTL_MS = 3_000
_RENEW_SECONDS = 1.0

_ACQUIRE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) and 1 or 0
"""
_RENEW = "return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('PEXPIRE', KEYS[1], ARGV[2]) or 0"
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class Ownership:
    """A lease on a shard's event stream, renewed each second, free again 3 s after its holder died."""

    def __init__(self, client: RedisClient, key: str) -> None:
        self._client = client
        self._key = key
        self._id = f"{os.getpid()}.{os.urandom(6).hex()}"
        self._held_until = 0.0

    @property
    def is_held(self) -> bool:
        """False also where a holder that was stopped for a while cannot know."""
        return time.monotonic() < self._held_until

    async def acquire(self) -> bool:
        """Take the lease if it is free."""
        return await self._claim(_ACQUIRE)

    async def keep(self, stop: asyncio.Event) -> None:
        """Renew the lease until `stop`. One that was lost is not taken back: another may have held it."""
        await repeat(stop, _RENEW_SECONDS, self._renew)

    async def _renew(self) -> None:
        if self.is_held:
            await self._claim(_RENEW)

    async def _claim(self, script: str) -> bool:
        """A lease that could not be renewed counts as lost."""
        asked_at = time.monotonic()
        try:
            reply = await self._client.execute("EVAL", script, 1, self._key, self._id, _TTL_MS)
        except RedisUnavailable:
            self._held_until = 0.0
            raise
        self._held_until = asked_at + _TTL_MS / 1000 if reply else 0.0
        return bool(reply)

    async def release(self) -> None:
        self._held_until = 0.0
        await self._client.execute("EVAL", _RELEASE, 1, self._key, self._id)
