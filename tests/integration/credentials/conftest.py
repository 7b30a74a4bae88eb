"""Server mode on a database and a Redis of the tests' own; no resolver remembers an earlier test."""

from collections.abc import AsyncIterator, Iterator

import pytest
from pytest_django.fixtures import Settings

from apps.credentials.process import forget_resolvers
from apps.credentials.usage import process_usage
from apps.engine import clock
from tests.integration.credentials.world import Organisation, organisation
from tests.integration.engine.engine_world import EngineWorld, open_world


@pytest.fixture(autouse=True)
def server(settings: Settings, redis_url: str) -> Iterator[None]:
    settings.STEPWELL_MODE = "server"
    settings.STEPWELL_SIGNING_KEY = settings.STEPWELL_SIGNING_KEY_FALLBACK = ""
    settings.STEPWELL_EVENT_KEYS = []
    settings.REDIS_URL = redis_url
    forget_resolvers()
    process_usage.take()
    yield
    forget_resolvers()


@pytest.fixture
def acme(db: None) -> Organisation:
    return organisation("Acme")


@pytest.fixture
def globex(db: None) -> Organisation:
    return organisation("Globex")


@pytest.fixture
async def engine_world(redis_url: str) -> AsyncIterator[EngineWorld]:
    world = await open_world(redis_url)
    yield world
    clock.set_time_source(None)
    await world.engine.close()
