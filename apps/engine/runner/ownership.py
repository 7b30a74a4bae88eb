"""One runner a shard at a time, so that the events of an environment are handled in order."""

import asyncio
import os

from apps.engine.services import repeat
from apps.engine.store.client import RedisClient, RedisUnavailable

_TTL_MS = 3_000
_RENEW_SECONDS = 1.0

_RENEW = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) and 1 or 0
"""
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class Ownership:
    """A lease on a shard's event stream, renewed each second, free again 3 s after its holder died."""

    def __init__(self, client: RedisClient, key: str) -> None:
        self._client = client
        self._key = key
        self._id = f"{os.getpid()}.{os.urandom(6).hex()}"
        self.is_held = False

    async def acquire(self) -> bool:
        """Take the lease or renew it. One that could not be renewed counts as lost."""
        try:
            reply = await self._client.execute("EVAL", _RENEW, 1, self._key, self._id, _TTL_MS)
        except RedisUnavailable:
            self.is_held = False
            raise
        self.is_held = bool(reply)
        return self.is_held

    async def keep(self, stop: asyncio.Event) -> None:
        await repeat(stop, _RENEW_SECONDS, self.acquire)

    async def release(self) -> None:
        self.is_held = False
        await self._client.execute("EVAL", _RELEASE, 1, self._key, self._id)
