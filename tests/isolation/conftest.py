"""Server mode with the cast of cast.py, on a database and a Redis of the tests' own."""

from collections.abc import Iterator

import pytest
import redis
from django.core.cache import cache
from django.urls import set_script_prefix
from pytest_django.fixtures import Settings

from apps.credentials.process import forget_resolvers
from apps.credentials.usage import process_usage
from apps.webhooks.runtime.pool import process_pool
from tests.integration.databases import default_database, postgres_settings, sqlite_settings
from tests.isolation.cast import Stage, make_stage

__all__ = ["default_database", "postgres_settings", "sqlite_settings"]


@pytest.fixture(autouse=True)
def server(settings: Settings, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # Nothing is written behind these tests, so nothing is worth waiting for.
    monkeypatch.setattr("apps.api.graphql.freshness.PATIENCE_SECONDS", 0)
    monkeypatch.setattr("apps.api.graphql.cancelling.PATIENCE_SECONDS", 0)
    settings.STEPWELL_MODE = "server"
    settings.STEPWELL_SIGNING_KEY = settings.STEPWELL_SIGNING_KEY_FALLBACK = ""
    settings.STEPWELL_EVENT_KEYS = []
    settings.STEPWELL_SHARD = "0"
    settings.REDIS_URL = redis_url
    settings.DEBUG_PROPAGATE_EXCEPTIONS = False
    cache.clear()
    forget_resolvers()
    process_usage.take()
    yield
    set_script_prefix("/")
    cache.clear()
    forget_resolvers()


@pytest.fixture
def stage(db: None, server: None) -> Stage:
    return make_stage()


@pytest.fixture
def lasting_stage(transactional_db: None, server: None) -> Stage:
    """For what looks at the database from a connection of its own."""
    return make_stage()


@pytest.fixture
def queue(redis_url: str) -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture(scope="session", autouse=True)
def scripts() -> Iterator[None]:
    """The processes that run scripts of webhooks end with the tests of this folder."""
    yield
    process_pool.close()
