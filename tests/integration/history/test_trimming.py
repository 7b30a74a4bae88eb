"""Only what every group has acknowledged goes."""

import asyncio
from collections.abc import Iterator
from typing import Any, cast

import pytest
import redis

from apps.engine.keys import HISTORY_GROUP, RUNNER_GROUP
from apps.engine.store.client import RedisClient
from apps.runs.history.trimming import trim_streams
from tests.integration.history.life import event
from tests.integration.history.running import KEYS, add_event, entries


@pytest.fixture
def small_nodes(redis_client: "redis.Redis") -> Iterator[None]:
    """A stream is trimmed by whole nodes: make each entry one."""
    redis_client.config_set("stream-node-max-entries", 1)
    yield
    redis_client.config_set("stream-node-max-entries", 100)


def trim(redis_url: str) -> int:
    async def work() -> int:
        client = await RedisClient.connect(redis_url)
        trimmed = await trim_streams(client, KEYS)
        await client.close()
        return trimmed

    return asyncio.run(work())


def add_groups(client: "redis.Redis", *groups: str) -> None:
    for group in groups:
        client.xgroup_create(KEYS.events, group, id="0", mkstream=True)


def read(client: "redis.Redis", group: str, count: int) -> list[bytes]:
    reply = cast("Any", client.xreadgroup(group, "c", {KEYS.events: ">"}, count=count))
    return [entry_id for entry_id, _ in reply[0][1]]


@pytest.mark.usefixtures("small_nodes")
def test_the_slowest_group_decides(redis_url: str, redis_client: "redis.Redis") -> None:
    add_groups(redis_client, HISTORY_GROUP, RUNNER_GROUP)
    ids = [add_event(redis_client, event()) for _ in range(5)]
    redis_client.xack(KEYS.events, HISTORY_GROUP, *read(redis_client, HISTORY_GROUP, 5))
    first, _, third = read(redis_client, RUNNER_GROUP, 3)
    redis_client.xack(KEYS.events, RUNNER_GROUP, first, third)

    assert trim(redis_url) == 1
    assert [entry_id for entry_id, _ in entries(redis_client, KEYS.events)] == ids[1:]


@pytest.mark.usefixtures("small_nodes")
def test_the_oldest_entry_decides_that_a_group_has_not_acknowledged(
    redis_url: str, redis_client: "redis.Redis"
) -> None:
    """The runner reads ahead and acknowledges in another order (apps/engine/runner/intake.py)."""
    add_groups(redis_client, HISTORY_GROUP, RUNNER_GROUP)
    ids = [add_event(redis_client, event()) for _ in range(6)]
    redis_client.xack(KEYS.events, HISTORY_GROUP, *read(redis_client, HISTORY_GROUP, 6))
    held = read(redis_client, RUNNER_GROUP, 5)
    left = []
    for done in (4, 3, 1, 0, 2):
        redis_client.xack(KEYS.events, RUNNER_GROUP, held[done])
        trim(redis_url)
        left.append([ids.index(entry_id) for entry_id, _ in entries(redis_client, KEYS.events)])
    assert left == [[0, 1, 2, 3, 4, 5]] * 3 + [[2, 3, 4, 5], [5]]


@pytest.mark.usefixtures("small_nodes")
def test_an_unread_entry_stays(redis_url: str, redis_client: "redis.Redis") -> None:
    add_groups(redis_client, HISTORY_GROUP, RUNNER_GROUP)
    ids = [add_event(redis_client, event()) for _ in range(3)]
    for group in (HISTORY_GROUP, RUNNER_GROUP):
        redis_client.xack(KEYS.events, group, *read(redis_client, group, 2))

    assert trim(redis_url) == 2
    assert [entry_id for entry_id, _ in entries(redis_client, KEYS.events)] == ids[2:]


@pytest.mark.usefixtures("small_nodes")
def test_a_group_that_does_not_exist_yet_has_read_nothing(
    redis_url: str, redis_client: "redis.Redis"
) -> None:
    add_groups(redis_client, HISTORY_GROUP)
    add_event(redis_client, event())
    redis_client.xack(KEYS.events, HISTORY_GROUP, *read(redis_client, HISTORY_GROUP, 1))

    assert trim(redis_url) == 0
    assert redis_client.xlen(KEYS.events) == 1


@pytest.mark.usefixtures("small_nodes")
def test_other_groups_count_too(redis_url: str, redis_client: "redis.Redis") -> None:
    add_groups(redis_client, HISTORY_GROUP, RUNNER_GROUP, "extra")
    add_event(redis_client, event())
    for group in (HISTORY_GROUP, RUNNER_GROUP):
        redis_client.xack(KEYS.events, group, *read(redis_client, group, 1))

    assert trim(redis_url) == 0


def test_streams_that_do_not_exist_are_left_so(redis_url: str, redis_client: "redis.Redis") -> None:
    assert trim(redis_url) == 0
    assert redis_client.exists(KEYS.events, KEYS.history) == 0
