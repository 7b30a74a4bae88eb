"""What /metrics reads from Redis: the queue, the counters of all processes, and the processes themselves."""

import asyncio
from dataclasses import dataclass

import msgspec

from apps.engine import clock
from apps.engine.inspection import Inspector
from apps.engine.keys import Keys
from apps.engine.queue_views import ShardQueue
from apps.engine.store.client import RedisClient
from apps.engine.store.functions import FunctionCache
from apps.engine.telemetry_sender import STALE_MS, ProcessSample


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`counters` by name (apps/engine/telemetry.py), `violations` by kind; `oldest_ms`: how long the item
    that waits longest in the queue could have run already."""

    queue: ShardQueue
    counters: dict[str, float]
    violations: dict[str, int]
    processes: list[ProcessSample]
    oldest_ms: int


async def read_snapshot(redis_url: str, shard: str) -> Snapshot:
    """Raises RedisUnavailable, RedisError."""
    client = RedisClient(redis_url)
    try:
        return await _read(client, shard)
    finally:
        await client.close()
        await asyncio.sleep(0)  # the loop, which may end with this, closes the connection in its next turn


async def _read(client: RedisClient, shard: str) -> Snapshot:
    keys, now = Keys(shard), clock.now_ms()
    inspector = Inspector(client, shard, keys, FunctionCache(client, keys))
    queue = await inspector.shard()
    counters, violations, processes = await client.pipeline(
        [("HGETALL", key) for key in (keys.counters, keys.violations, keys.processes)]
    )
    samples = {name: msgspec.json.decode(raw, type=ProcessSample) for name, raw in _pairs(processes)}
    await _forget(client, keys, [name for name, sample in samples.items() if now - sample.at > STALE_MS])
    return Snapshot(
        queue=queue,
        counters={name: float(raw) for name, raw in _pairs(counters)},
        violations={name: int(raw) for name, raw in _pairs(violations)},
        processes=[sample for sample in samples.values() if now - sample.at <= STALE_MS],
        oldest_ms=max(0, now - queue.oldest_since) if queue.oldest_since else 0,
    )


async def _forget(client: RedisClient, keys: Keys, names: list[str]) -> None:
    """Processes that ended without a word."""
    if names:
        await client.execute("HDEL", keys.processes, *names)


def _pairs(flat: list[bytes]) -> list[tuple[str, bytes]]:
    return [(flat[i].decode(), flat[i + 1]) for i in range(0, len(flat), 2)]
