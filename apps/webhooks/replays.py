"""Deliveries that came before: the same signature within the tolerance of its time (spec 05, 2.5)."""

from enum import Enum
from typing import Final, Protocol

from apps.engine.keys import Keys
from apps.engine.store.client import Argument, Reply
from apps.webhooks.verification.config import Options

# Longer than any delivery takes: both its functions, with their waits for a worker, and storing its events.
UNDER_WAY_SECONDS: Final = 30
_UNDER_WAY: Final = b"0"
_SEEN: Final = b"1"


class Claim(Enum):
    NEW = "new"
    UNDER_WAY = "under way"
    SEEN = "seen"


class _Store(Protocol):
    async def execute(self, *args: Argument) -> Reply: ...


class ReplayMemory:
    """In Redis, so all processes share it. A signature is good on both sides of its time.

    A claim lasts only as long as a delivery may take, until `settle` has it remembered: a process that ends
    before the events are stored leaves nothing behind that would refuse the delivery when it comes again.
    All raise RedisUnavailable, RedisError, TimeoutError.
    """

    def __init__(self, store: _Store, keys: Keys) -> None:
        self._store = store
        self._keys = keys

    async def claim(self, webhook_id: str, replay_key: str) -> Claim:
        """NEW is the caller's, to `settle` or `release`."""
        key = self._keys.webhook_seen(webhook_id, replay_key)
        if await self._store.execute("SET", key, _UNDER_WAY, "NX", "EX", UNDER_WAY_SECONDS) is not None:
            return Claim.NEW
        return Claim.SEEN if await self._store.execute("GET", key) == _SEEN else Claim.UNDER_WAY

    async def settle(self, webhook_id: str, replay_key: str, options: Options) -> None:
        """The delivery was accepted: it came before from now on."""
        key, seconds = self._keys.webhook_seen(webhook_id, replay_key), 2 * options.tolerance_seconds + 1
        await self._store.execute("SET", key, _SEEN, "EX", seconds)

    async def release(self, webhook_id: str, replay_key: str) -> None:
        """The delivery was not accepted, so it may come again."""
        await self._store.execute("DEL", self._keys.webhook_seen(webhook_id, replay_key))
