"""Short ways to say which key queue a run belongs to, and what becomes of it."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any

from apps.engine.flow.admission import Flow
from apps.engine.store.queue import Leased
from tests.integration.engine.queue_world import PREFIX, World

FINISH = ("F", 0)
_AT_ONCE = 1_000


def in_leaf(
    c1: str = "-",
    c2: str = "-",
    t: str = "-",
    r1: str = "-",
    r2: str = "-",
    *,
    fn: str = "fn",
    kv: str = "v1",
) -> Flow:
    """The key queue of runs with these buckets: concurrency keys, throttle, runs in progress."""
    gates = " ".join((c1, c2, t, r1, r2))
    return Flow(leaf=f"k:{fn}:{kv}/{gates.replace(' ', '/')}", kv=kv, gates=gates)


async def at_once(calls: Iterable[Coroutine[Any, Any, Any]]) -> None:
    """Make many calls in few writes."""
    waiting = list(calls)
    for start in range(0, len(waiting), _AT_ONCE):
        await asyncio.gather(*waiting[start : start + _AT_ONCE])


async def finish(world: World, leased: Leased) -> None:
    assert (await world.commit(leased.item, *FINISH)).outcome == "ok"


async def cancel(world: World, run: str) -> None:
    assert await world.queue.library.call("finish", run, b"", "", 0) == 1


async def tick(world: World, limit: int = 100) -> int | None:
    """What the timer service does; when its earliest timer, gate or group is due."""
    due = int((await world.queue.library.call("tick", world.now, limit))[0])
    return None if due < 0 else due


async def sweep(world: World) -> None:
    await world.queue.library.call("sweep", world.now, 100)


async def holders(world: World, bucket: str) -> int:
    count: int = await world.client.execute("SCARD", f"{PREFIX}:h:{bucket}")
    return count


def run_ids(batch: Iterable[Leased]) -> list[str]:
    return [leased.item.run_id for leased in batch]


async def look_at_all(world: World, fn: str = "fn") -> None:
    """Lease what may be leased, until what is left waits."""
    while await world.client.execute("EXISTS", f"{PREFIX}:q:f:{fn}"):
        await world.lease(100)
