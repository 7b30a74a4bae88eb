"""Refusals in Redis: one row for equal ones, a cap, a time, and tenants apart."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator

import pytest
import redis

from apps.engine import clock
from apps.engine.keys import Keys
from apps.engine.store.client import RedisClient
from apps.refusals.buffer import RefusalBuffer, Tally
from apps.refusals.refusal import UNKNOWN, Refusal
from apps.refusals.sender import RefusalSender
from apps.refusals.store import KEEP_MS, MAX_ROWS, RefusalRow, RefusalStore
from tests.conftest import free_port

NOW = 1_795_438_230_000
PREFIX = "{q:t}"


def kind(number: int, env_id: str = "env") -> Refusal:
    return Refusal(env_id, "events", "POST", "/e/…", 400, f"reason {number}")


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    clock.set_time_source(lambda: NOW / 1000)
    yield
    clock.set_time_source(None)


@pytest.fixture
async def store(redis_url: str) -> AsyncIterator[RefusalStore]:
    store = RefusalStore(RedisClient(redis_url), Keys("t"))
    yield store
    await store.close()


async def test_equal_refusals_of_several_processes_are_one_row(store: RefusalStore) -> None:
    await store.add({kind(1): Tally(3, NOW - 900, NOW - 500, "aaaa")})
    await store.add({kind(1): Tally(2, NOW - 800, NOW - 700), kind(2): Tally(1, NOW - 100, NOW - 100)})
    await store.add({kind(1): Tally(10**12, NOW - 10, NOW - 5, "bbbb")})
    assert await store.latest("env") == [
        RefusalRow(kind(1), 10**12 + 5, NOW - 900, NOW - 5, "bbbb"),
        RefusalRow(kind(2), 1, NOW - 100, NOW - 100, ""),
    ]


async def test_only_the_latest_kinds_are_kept(store: RefusalStore, redis_client: redis.Redis) -> None:
    for first in range(0, 500, 100):
        await store.add(
            {kind(number): Tally(1, NOW - number, NOW - number) for number in range(first, first + 100)}
        )
    rows = await store.latest("env")
    assert [row.refusal for row in rows] == [kind(number) for number in range(MAX_ROWS)]
    assert redis_client.zcard(f"{PREFIX}:refused:env") == MAX_ROWS
    assert redis_client.hlen(f"{PREFIX}:refusals:env") == MAX_ROWS


async def test_what_is_old_goes(store: RefusalStore, redis_client: redis.Redis) -> None:
    old = NOW - KEEP_MS - 1
    await store.add({kind(1): Tally(1, old, old), kind(2): Tally(1, NOW - KEEP_MS + 1, NOW - KEEP_MS + 1)})
    assert [row.refusal for row in await store.latest("env")] == [kind(2)]
    assert redis_client.hlen(f"{PREFIX}:refusals:env") == 1
    for key in ("refused", "refusals"):
        assert KEEP_MS - 60_000 < redis_client.pttl(f"{PREFIX}:{key}:env") <= KEEP_MS


async def test_environments_are_apart(store: RefusalStore) -> None:
    await store.add({kind(number, env): Tally(1, NOW, NOW) for number, env in enumerate(["a", "b", UNKNOWN])})
    for number, env in enumerate(["a", "b", UNKNOWN]):
        assert await store.latest(env) == [RefusalRow(kind(number, env), 1, NOW, NOW, "")]
    assert await store.latest("c") == []


async def test_the_sender_stores_each_second_and_at_the_end(store: RefusalStore) -> None:
    buffer, stop = RefusalBuffer(), asyncio.Event()
    buffer.note(kind(1))
    running = asyncio.ensure_future(RefusalSender(buffer, store).run(stop))
    async with asyncio.timeout(10):
        while await store.latest("env") == []:
            await asyncio.sleep(0.02)
    buffer.note(kind(1))
    stop.set()
    await running
    assert await store.latest("env") == [RefusalRow(kind(1), 2, NOW, NOW, "")]


async def test_without_redis_refusals_are_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    buffer = RefusalBuffer()
    for _ in range(3):
        buffer.note(kind(1), "tail")
    store = RefusalStore(RedisClient(f"redis://127.0.0.1:{free_port()}/0"), Keys("t"))
    with caplog.at_level(logging.WARNING, "apps.refusals"):
        await RefusalSender(buffer, store).flush()
    assert caplog.messages[1:] == ["refused 3 times: POST /e/…, 400 reason 1"]
    assert "tail" not in caplog.text
    assert buffer.take() == ({}, 0)
