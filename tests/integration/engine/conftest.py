from collections.abc import AsyncIterator

import pytest

from apps.engine import clock
from apps.engine.store.client import RedisClient
from apps.engine.store.queue import Queue
from tests.integration.engine.engine_world import EngineWorld, open_world
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


@pytest.fixture
async def engine_world(redis_url: str) -> AsyncIterator[EngineWorld]:
    world = await open_world(redis_url)
    yield world
    clock.set_time_source(None)
    await world.engine.close()
