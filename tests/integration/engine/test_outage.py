"""A Valkey of the test's own goes away and comes back: nothing is lost, no step runs twice."""

import asyncio
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from aiohttp import web

from tests.conftest import _wait_until_up, free_port, redis_binary
from tests.integration.engine.app_world import (
    AppWorld,
    Call,
    eventually,
    make_executor,
    open_app_world,
    ops,
    result,
    running,
    step,
)


class OwnValkey:
    """A server with an append-only file that can be stopped and started on the same data."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        self._process = subprocess.Popen(
            [redis_binary(), "--port", str(self._port), "--bind", "127.0.0.1", "--save", "",
             "--appendonly", "yes", "--appendfsync", "always", "--dir", str(self._folder)],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip

    def wait_until_up(self) -> None:
        with redis.Redis.from_url(self.url) as client:
            deadline = time.monotonic() + 10
            while True:
                try:
                    _wait_until_up(client, deadline)
                except redis.BusyLoadingError:
                    continue
                return

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(timeout=10)


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[OwnValkey]:
    server = OwnValkey(tmp_path)
    server.start()
    server.wait_until_up()
    yield server
    server.kill()


async def restart(valkey: OwnValkey, away_seconds: float = 0.0) -> None:
    valkey.kill()
    await asyncio.sleep(away_seconds)
    valkey.start()
    await asyncio.to_thread(valkey.wait_until_up)


async def test_runs_go_on_after_restarts_of_redis(valkey: OwnValkey) -> None:
    done: Counter[tuple[str, str]] = Counter()

    async def handler(call: Call) -> web.Response:
        if len(call.steps) == 3:
            return result(1)
        step_id = f"{len(call.steps):040}"
        await asyncio.sleep(0.02)
        done[(call.run_id, step_id)] += 1
        return ops(step(step_id))

    async with open_app_world(valkey.url) as world:
        await world.publish("fn", handler)
        # What was leased by a call whose answer got lost comes back when the lease ends.
        async with running(world, make_executor(world.engine.client, lease_ms=5_000)):
            for _ in range(20):
                await world.send("app/fn")
            await eventually(lambda: _has(done, 5))
            await restart(valkey)
            await eventually(lambda: _has(done, 25))
            await restart(valkey, away_seconds=0.3)
            ended = await world.ended(20)
            await eventually(lambda: _is_empty(world))
    assert Counter(record.status for record in ended) == {"Completed": 20}
    assert len({record.run_id for record in ended}) == 20
    assert set(done.values()) == {1}
    assert len(done) == 60


async def test_a_request_in_flight_outlives_an_outage(valkey: OwnValkey) -> None:
    entered, may_go = asyncio.Event(), asyncio.Event()

    async def handler(call: Call) -> web.Response:
        if call.steps:
            return result(1)
        entered.set()
        await may_go.wait()
        return ops(step("a" * 40))

    async with open_app_world(valkey.url) as world:
        await world.publish("fn", handler)
        async with running(world, make_executor(world.engine.client, grace_seconds=0.05)):
            await world.send("app/fn")
            await asyncio.wait_for(entered.wait(), 10)
            valkey.kill()
            may_go.set()
            await asyncio.sleep(0.3)
            valkey.start()
            await asyncio.to_thread(valkey.wait_until_up)
            (ended,) = await world.ended()
    assert ended.status == "Completed"
    assert len(world.calls) == 2


async def _has(done: "Counter[tuple[str, str]]", count: int) -> bool:
    return done.total() >= count


async def _is_empty(world: AppWorld) -> bool:
    return await world.left_over() == set()
