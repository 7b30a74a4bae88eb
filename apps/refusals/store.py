"""The refusals of each environment in Redis: the latest MAX_ROWS kinds, for KEEP_MS.

Refusals that differ in nothing but their time are one row. Keys: `Keys.refused` (by time of the last one)
and `Keys.refusals` (counts); a plain script (`fold.lua`) writes both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from apps.engine import clock
from apps.engine.keys import Keys
from apps.engine.store.client import Argument, RedisClient
from apps.refusals.buffer import Tally
from apps.refusals.refusal import UNKNOWN, Refusal

MAX_ROWS: Final = 200
KEEP_MS: Final = 7 * 24 * 3600 * 1000

_UNKNOWN_KEY = "unknown"
_decoder = msgspec.json.Decoder(tuple[str, str, str, int, str])


@dataclass(frozen=True, slots=True)
class RefusalRow:
    """Times in ms; `key_end` belongs to the last unknown key that was presented."""

    refusal: Refusal
    count: int
    first_ms: int
    last_ms: int
    key_end: str


class RefusalStore:
    def __init__(self, client: RedisClient, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    async def add(self, tallies: Mapping[Refusal, Tally]) -> None:
        """One call for each environment among them. Raises RedisUnavailable, RedisError."""
        by_environment: dict[str, list[Argument]] = {}
        for refusal, tally in tallies.items():
            arguments = by_environment.setdefault(refusal.env_id, [])
            arguments += (_name(refusal), tally.count, tally.first_ms, tally.last_ms, tally.key_end)
        limits = (MAX_ROWS, KEEP_MS, clock.now_ms())
        commands = [
            ("EVAL", _script(), 2, *self._keys_of(env_id), *limits, *arguments)
            for env_id, arguments in by_environment.items()
        ]
        await self._client.pipeline(commands)

    async def latest(self, env_id: str) -> list[RefusalRow]:
        """At most MAX_ROWS rows of an environment (or UNKNOWN), the latest first.

        Raises RedisUnavailable, RedisError.
        """
        recent, details = self._keys_of(env_id)
        oldest = clock.now_ms() - KEEP_MS
        flat = await self._client.execute(
            "ZREVRANGEBYSCORE", recent, "+inf", oldest, "WITHSCORES", "LIMIT", 0, MAX_ROWS
        )
        if not flat:
            return []
        names, times = flat[::2], flat[1::2]
        values = await self._client.execute("HMGET", details, *names)
        found = zip(names, times, values, strict=True)
        return [_row(env_id, name, int(time), value) for name, time, value in found if value is not None]

    async def close(self) -> None:
        """Give the connection back; the next call opens another."""
        await self._client.close()

    def _keys_of(self, env_id: str) -> tuple[str, str]:
        owner = _UNKNOWN_KEY if env_id == UNKNOWN else env_id
        return self._keys.refused(owner), self._keys.refusals(owner)


def _name(refusal: Refusal) -> bytes:
    return msgspec.json.encode(refusal[1:])


def _row(env_id: str, name: bytes, last_ms: int, value: bytes) -> RefusalRow:
    count, first_ms, key_end = value.decode().split(" ", 2)
    return RefusalRow(Refusal(env_id, *_decoder.decode(name)), int(count), int(first_ms), last_ms, key_end)


@cache
def _script() -> str:
    return Path(__file__).with_name("fold.lua").read_text()
