"""How many events an account may send each second, over all web processes (spec 05, 8.3)."""

import math

from apps.credentials.caller import Caller
from apps.engine import clock
from apps.engine.store.client import RedisClient
from apps.engine.store.library import LuaLibrary


class IngestRates:
    """Accounts without a limit cost nothing."""

    def __init__(self, client: RedisClient, prefix: str) -> None:
        self._library = LuaLibrary(client, prefix)

    async def retry_after(self, caller: Caller) -> int:
        """The seconds until the account may send again, 0: now. Raises what the store raises."""
        return math.ceil(await self._wait_ms(caller, 0) / 1000)

    async def count(self, caller: Caller, events: int) -> None:
        """Events that were accepted. Raises what the store raises."""
        await self._wait_ms(caller, events)

    async def _wait_ms(self, caller: Caller, events: int) -> int:
        limit = caller.entitlements.ingest_per_second
        if limit is None:
            return 0
        wait: int = await self._library.call(
            "ingest_wait", clock.now_ms(), caller.tenant.account_id, limit, events
        )
        return wait
