"""Server mode on a database and a Redis of the tests' own; no resolver remembers an earlier test."""

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from apps.credentials.process import forget_resolvers
from apps.credentials.usage import process_usage
from tests.integration.credentials.world import Organisation, organisation


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
