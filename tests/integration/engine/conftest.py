from collections.abc import AsyncIterator

import pytest

from apps.engine import clock
from apps.engine.executor import ops as executor_ops
from apps.engine.store.client import RedisClient
from apps.engine.store.queue import Queue
from tests.integration.engine.app_world import AppWorld, make_executor, open_app_world, running
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


@pytest.fixture
async def app_world(redis_url: str) -> AsyncIterator[AppWorld]:
    """The app and the engine, without a service yet."""
    async with open_app_world(redis_url) as world:
        yield world


@pytest.fixture
async def platform(app_world: AppWorld) -> AsyncIterator[AppWorld]:
    """The whole engine at work."""
    async with running(app_world, make_executor(app_world.engine.client)):
        yield app_world


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor_ops, "retry_delay_ms", lambda attempt: 20)
