"""Waiting until history knows all that the queue has told it: only then is what it lacks really missing."""

import asyncio
import time

from apps.engine.keys import HISTORY_GROUP, Keys
from apps.engine.store.client import RedisClient, RedisError, Reply

WAIT_SECONDS = 60.0
_POLL_SECONDS = 0.05

_StreamId = tuple[int, int]


class HistoryBehind(Exception):
    """The history writer has not come as far as it should; a running scheduler is what it needs."""


async def wait_until_drained(client: RedisClient, keys: Keys, seconds: float = WAIT_SECONDS) -> None:
    """Wait until everything that is in the history stream now is in the database. Raises HistoryBehind."""
    until = await _last_entry(client, keys)
    deadline = time.monotonic() + seconds
    while until is not None and not await _is_stored(client, keys, until):
        if time.monotonic() > deadline:
            raise HistoryBehind(f"history was not written within {seconds:g} s")
        await asyncio.sleep(_POLL_SECONDS)


async def _last_entry(client: RedisClient, keys: Keys) -> _StreamId | None:
    last = await client.execute("XREVRANGE", keys.history, "+", "-", "COUNT", 1)
    return _parse(last[0][0]) if last else None


async def _is_stored(client: RedisClient, keys: Keys, until: _StreamId) -> bool:
    """Also where the stream is gone meanwhile: what it held is lost."""
    try:
        groups = await client.execute("XINFO", "GROUPS", keys.history)
        pending = await client.execute("XPENDING", keys.history, HISTORY_GROUP)
    except RedisError as error:
        if "no such key" in str(error):
            return True
        if "NOGROUP" in str(error):
            return False
        raise
    read = [_parse(group[b"last-delivered-id"]) for group in map(_mapping, groups) if _is_ours(group)]
    return bool(read) and read[0] >= until and (not pending[0] or _parse(pending[1]) > until)


def _is_ours(group: dict[bytes, Reply]) -> bool:
    return bool(group[b"name"] == HISTORY_GROUP.encode())


def _mapping(flat: list[Reply]) -> dict[bytes, Reply]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _parse(raw: bytes) -> _StreamId:
    milliseconds, _, sequence = raw.decode().partition("-")
    return int(milliseconds), int(sequence)
