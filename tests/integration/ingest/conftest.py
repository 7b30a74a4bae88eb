"""The event path with a store of its own, called over ASGI without a server."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import TypeAlias

import httpx
import pytest

from apps.engine.store.client import RedisClient
from apps.ingest.app import IngestApp
from apps.ingest.options import IngestOptions

SIGNING_KEY = "signkey-test-deadbeef"

Connect: TypeAlias = Callable[[IngestApp], httpx.AsyncClient]


@pytest.fixture
def options(redis_url: str) -> IngestOptions:
    return IngestOptions(
        mode="dev", redis_url=redis_url, shard="t", max_event_bytes=1_000_000, max_body_bytes=2_000_000
    )


@pytest.fixture
def server_options(options: IngestOptions) -> IngestOptions:
    return replace(options, mode="server", event_keys=("key-1", "key-2"), signing_keys=(SIGNING_KEY,))


@pytest.fixture
async def store(redis_url: str) -> AsyncIterator[RedisClient]:
    client = RedisClient(redis_url)
    yield client
    await client.close()


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    clients: list[httpx.AsyncClient] = []

    def open_client(app: IngestApp) -> httpx.AsyncClient:
        clients.append(httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://stepwell"))
        return clients[-1]

    yield open_client
    for client in clients:
        await client.aclose()


@pytest.fixture
def dev(options: IngestOptions, store: RedisClient, connect: Connect) -> httpx.AsyncClient:
    return connect(IngestApp(options, store))


@pytest.fixture
def server(server_options: IngestOptions, store: RedisClient, connect: Connect) -> httpx.AsyncClient:
    return connect(IngestApp(server_options, store))
