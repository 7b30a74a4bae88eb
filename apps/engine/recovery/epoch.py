"""Whether the queue is whole: a key that only an emptied server lacks, and who waits for it."""

import asyncio

from apps.engine import clock
from apps.engine.keys import Keys
from apps.engine.services import Service, wait_for
from apps.engine.store.client import RedisClient

_LOOK_SECONDS = 0.1

_CONFIRM = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[2], ARGV[2])
return 1
"""


class Epoch:
    def __init__(self, client: RedisClient, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    async def is_set(self) -> bool:
        return bool(await self._client.execute("EXISTS", self._keys.epoch))

    async def begin(self, token: str) -> None:
        """Restoring begins; `token` is lost where the server is emptied again meanwhile."""
        await self._client.execute("SET", self._keys.rebuilding, token)

    async def confirm(self, token: str) -> bool:
        """The queue is whole, unless the token was lost or another rebuild has begun since."""
        names = (self._keys.rebuilding, self._keys.epoch)
        return bool(await self._client.execute("EVAL", _CONFIRM, 2, *names, token, clock.now_ms()))


class AfterRecovery:
    """Keeps a service back until the queue is whole: an event that the runner handled before waits and
    cancel rules are restored would pass them by."""

    def __init__(self, service: Service, epoch: Epoch) -> None:
        self.name = service.name
        self._service = service
        self._epoch = epoch

    async def run(self, stop: asyncio.Event) -> None:
        while not await self._epoch.is_set():
            if await wait_for(stop, _LOOK_SECONDS):
                return
        await self._service.run(stop)
