"""A Valkey of the test's own goes away and comes back: nothing is lost, no step runs twice."""

import asyncio
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import redis
from aiohttp import web

from apps.engine.store.client import Argument, RedisClient, RedisUnavailable, Reply
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


class Gate:
    """Where the app's steps wait until they are let through."""

    def __init__(self) -> None:
        self.waiting = 0
        self._permits = asyncio.Semaphore(0)

    async def __aenter__(self) -> None:
        self.waiting += 1
        await self._permits.acquire()
        self.waiting -= 1

    async def __aexit__(self, *_: object) -> None:
        return

    def let_through(self, count: int) -> None:
        for _ in range(count):
            self._permits.release()


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commits of the engine that have met an outage."""
    found: list[str] = []
    execute = RedisClient.execute

    async def noting(self: RedisClient, *args: Argument) -> Reply:
        try:
            return await execute(self, *args)
        except RedisUnavailable:
            if args[0] == "FCALL" and str(args[1]).startswith("commit_"):
                found.append(str(args[1]))
            raise

    monkeypatch.setattr(RedisClient, "execute", noting)
    return found


async def outlive(valkey: OwnValkey, refused: list[str], meanwhile: Callable[[], None]) -> None:
    """An outage in which the app answers and the engine cannot note it."""
    valkey.kill()
    refused.clear()
    meanwhile()
    await _until(lambda: bool(refused))
    valkey.start()
    await asyncio.to_thread(valkey.wait_until_up)


async def test_runs_go_on_after_restarts_of_redis(valkey: OwnValkey, refused: list[str]) -> None:
    done: Counter[tuple[str, str]] = Counter()
    gate = Gate()

    async def handler(call: Call) -> web.Response:
        if len(call.steps) == 3:
            return result(1)
        step_id = f"{len(call.steps):040}"
        async with gate:
            done[(call.run_id, step_id)] += 1
        return ops(step(step_id))

    async with open_app_world(valkey.url) as world:
        await world.publish("fn", handler)
        # What was leased by a call whose answer got lost comes back when the lease ends.
        async with running(world, make_executor(world.engine.client, lease_ms=5_000)):
            for _ in range(20):
                await world.send("app/fn")
            for let_through, meanwhile in ((5, 15), (10, 60)):
                gate.let_through(let_through)
                await _until(lambda: gate.waiting >= 10)
                await outlive(valkey, refused, partial(gate.let_through, meanwhile))
            ended = await world.ended(20)
            await eventually(lambda: _is_empty(world))
    assert Counter(record.status for record in ended) == {"Completed": 20}
    assert len({record.run_id for record in ended}) == 20
    assert set(done.values()) == {1}
    assert len(done) == 60


async def test_a_request_in_flight_outlives_an_outage(valkey: OwnValkey, refused: list[str]) -> None:
    gate = Gate()

    async def handler(call: Call) -> web.Response:
        if call.steps:
            return result(1)
        async with gate:
            return ops(step("a" * 40))

    async with open_app_world(valkey.url) as world:
        await world.publish("fn", handler)
        async with running(world, make_executor(world.engine.client, grace_seconds=0.05)):
            await world.send("app/fn")
            await _until(lambda: gate.waiting == 1)
            await outlive(valkey, refused, partial(gate.let_through, 1))
            (ended,) = await world.ended()
    assert ended.status == "Completed"
    assert len(world.calls) == 2


async def _until(holds: Callable[[], bool]) -> None:
    async def asked() -> bool:
        return holds()

    await eventually(asked)


async def _is_empty(world: AppWorld) -> bool:
    return await world.left_over() == set()
