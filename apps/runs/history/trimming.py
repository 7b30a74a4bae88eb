"""Trims both streams to what a group may still need.

An entry may go when every group that must read it has acknowledged it. A group that does not exist
yet has acknowledged nothing.
"""

from collections.abc import Mapping, Sequence

from apps.engine.keys import HISTORY_GROUP, RUNNER_GROUP, Keys
from apps.engine.store.client import RedisClient, RedisError, Reply

StreamId = tuple[int, int]


async def trim_streams(client: RedisClient, keys: Keys) -> int:
    """Returns how many entries went. Whole nodes of a stream go at a time, so some always stay."""
    trimmed = 0
    for name, groups in readers(keys).items():
        bound = await _first_needed(client, name, groups)
        if bound is not None:
            trimmed += await _trim(client, name, bound)
    return trimmed


def readers(keys: Keys) -> Mapping[str, frozenset[str]]:
    """The groups that must have read a stream before it is trimmed."""
    return {
        keys.history: frozenset({HISTORY_GROUP}),
        keys.events: frozenset({RUNNER_GROUP, HISTORY_GROUP}),
    }


async def _trim(client: RedisClient, name: str, bound: StreamId) -> int:
    total = 0
    # One call removes a bounded number of entries, so that it never holds the server for long.
    while removed := int(await client.execute("XTRIM", name, "MINID", "~", _text(bound))):
        total += removed
    return total


async def _first_needed(client: RedisClient, name: str, required: frozenset[str]) -> StreamId | None:
    """The smallest id that some group has not acknowledged; None when a required group is missing."""
    try:
        # Delivery is read before the pending entries: what is delivered in between has a higher id.
        groups = [_as_mapping(group) for group in await client.execute("XINFO", "GROUPS", name)]
    except RedisError as error:
        if "no such key" in str(error):
            return None
        raise
    if not required <= {group["name"].decode() for group in groups}:
        return None
    return min([await _first_unacknowledged(client, name, group) for group in groups])


async def _first_unacknowledged(client: RedisClient, name: str, group: Mapping[str, Reply]) -> StreamId:
    milliseconds, sequence = _parse(group["last-delivered-id"])
    pending = await client.execute("XPENDING", name, group["name"])
    return _parse(pending[1]) if pending[0] else (milliseconds, sequence + 1)


def _as_mapping(flat: Sequence[Reply]) -> dict[str, Reply]:
    return {key.decode(): value for key, value in zip(flat[::2], flat[1::2], strict=True)}


def _parse(raw: bytes) -> StreamId:
    milliseconds, _, sequence = raw.decode().partition("-")
    return int(milliseconds), int(sequence)


def _text(stream_id: StreamId) -> str:
    return f"{stream_id[0]}-{stream_id[1]}"
