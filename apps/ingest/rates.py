"""How many events an account may send each second, over all web processes (spec 05, 8.3)."""

import logging
import math

from apps.credentials.caller import Caller
from apps.engine import clock
from apps.engine.store.client import RedisClient, RedisError, RedisUnavailable
from apps.engine.store.library import LuaLibrary

logger = logging.getLogger(__name__)


class IngestRates:
    """Accounts without a limit cost nothing."""

    def __init__(self, client: RedisClient, prefix: str) -> None:
        self._library = LuaLibrary(client, prefix)

    async def retry_after(self, caller: Caller) -> int:
        """The seconds until the account may send again, 0: now. Raises what the store raises."""
        return math.ceil(await self._wait_ms(caller, 0) / 1000)

    async def count(self, caller: Caller, events: int) -> None:
        """Events that were accepted, whatever comes of the count: an error would have them sent again."""
        try:
            await self._wait_ms(caller, events)
        except (RedisUnavailable, RedisError) as problem:
            logger.warning("%d events of account %s are not counted: %s", events, caller.account_id, problem)

    async def _wait_ms(self, caller: Caller, events: int) -> int:
        limit = caller.entitlements.ingest_per_second
        if limit is None:
            return 0
        wait: int = await self._library.call(
            "ingest_wait", clock.now_ms(), caller.tenant.account_id, limit, events
        )
        return wait
