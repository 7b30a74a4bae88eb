from collections.abc import AsyncIterator

import pytest

from apps.engine import clock
from apps.engine.store.client import RedisClient
from apps.engine.store.queue import Queue
from tests.integration.engine.queue_world import PREFIX, World, use_clock


@pytest.fixture
async def world(redis_url: str) -> AsyncIterator[World]:
    client = await RedisClient.connect(redis_url)
    world = World(client, Queue(client, PREFIX))
    await world.queue.library.load()
    use_clock(world)
    await world.configure("fn")
    yield world
    clock.set_time_source(None)
    await client.close()
