"""Deliveries that came before: the same signature within the tolerance of its time (spec 05, 2.5)."""

from typing import Protocol

from apps.engine.keys import Keys
from apps.engine.store.client import Argument, Reply
from apps.webhooks.verification.config import Options


class _Store(Protocol):
    async def execute(self, *args: Argument) -> Reply: ...


class ReplayMemory:
    """In Redis, so all processes share it. A signature is good on both sides of its time."""

    def __init__(self, store: _Store, keys: Keys) -> None:
        self._store = store
        self._keys = keys

    async def claim(self, webhook_id: str, replay_key: str, options: Options) -> bool:
        """False where the delivery came before. Raises RedisUnavailable, RedisError, TimeoutError."""
        key, seconds = self._keys.webhook_seen(webhook_id, replay_key), 2 * options.tolerance_seconds + 1
        return await self._store.execute("SET", key, "1", "NX", "EX", seconds) is not None

    async def release(self, webhook_id: str, replay_key: str) -> None:
        """The delivery was not accepted, so it may come again."""
        await self._store.execute("DEL", self._keys.webhook_seen(webhook_id, replay_key))
