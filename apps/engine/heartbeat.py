"""Says that a role is alive: a key with a short life, set again every few seconds."""

import asyncio

from apps.engine.keys import Keys
from apps.engine.services import wait_for
from apps.engine.store.client import RedisClient

_SECONDS = 5.0
_TTL_SECONDS = 15


class Heartbeat:
    name = "heartbeat"

    def __init__(self, client: RedisClient, keys: Keys, role: str) -> None:
        self._client = client
        self._key = keys.alive(role)

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self._client.execute("SET", self._key, "1", "EX", _TTL_SECONDS)
            await wait_for(stop, _SECONDS)
