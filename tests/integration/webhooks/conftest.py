"""Webhooks of two organisations in server mode, and a client that is their producer."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from pytest_django.fixtures import Settings

from apps.credentials.process import forget_resolvers, process_resolver
from apps.engine.store.client import RedisClient
from apps.ingest.app import IngestApp
from apps.ingest.options import IngestOptions
from apps.refusals.buffer import RefusalBuffer
from apps.webhooks.configs import WebhookConfigs, process_configs
from apps.webhooks.door import WebhookDoor
from apps.webhooks.log import process_deliveries
from apps.webhooks.runtime.pool import ScriptPool, process_pool
from apps.webhooks.services.scripts import pool
from apps.webhooks.services.testing import forget_rates
from tests.integration.credentials.world import Organisation, organisation

MAX_BYTES = 10_000


@pytest.fixture(autouse=True)
def server(settings: Settings, redis_url: str) -> Iterator[None]:
    settings.STEPWELL_MODE = "server"
    settings.STEPWELL_SIGNING_KEY = settings.STEPWELL_SIGNING_KEY_FALLBACK = ""
    settings.STEPWELL_EVENT_KEYS = []
    settings.STEPWELL_EVENT_MAX_BYTES = MAX_BYTES
    settings.REDIS_URL = redis_url
    forget_resolvers()
    forget_rates()
    process_configs.forget_all()
    process_deliveries.take()
    yield
    forget_resolvers()


@pytest.fixture(scope="package", autouse=True)
def scripts() -> Iterator[None]:
    """The pool of the process, ended with the tests of this folder."""
    yield
    process_pool.close()


@pytest.fixture
def script_pool() -> ScriptPool:
    return pool()


@pytest.fixture
def acme(transactional_db: None) -> Organisation:
    return organisation("Acme")


@pytest.fixture
def globex(transactional_db: None) -> Organisation:
    return organisation("Globex")


@pytest.fixture
async def web(redis_url: str) -> AsyncIterator[httpx.AsyncClient]:
    store = RedisClient(redis_url)
    options = IngestOptions("server", redis_url, "0", max_event_bytes=MAX_BYTES, max_body_bytes=100_000)
    door = WebhookDoor(options, store, pool, configs=WebhookConfigs())
    app = IngestApp(options, store, RefusalBuffer(), process_resolver(), door)
    transport = httpx.ASGITransport(app, client=("203.0.113.7", 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://stepwell") as client:
        yield client
    await store.close()


@pytest.fixture
async def dev_web(redis_url: str, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    settings.STEPWELL_MODE = "dev"
    store = RedisClient(redis_url)
    options = IngestOptions("dev", redis_url, "0", max_event_bytes=MAX_BYTES, max_body_bytes=100_000)
    door = WebhookDoor(options, store, pool, configs=WebhookConfigs())
    app = IngestApp(options, store, RefusalBuffer(), process_resolver(), door)
    transport = httpx.ASGITransport(app, client=("203.0.113.7", 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://stepwell") as client:
        yield client
    await store.close()
