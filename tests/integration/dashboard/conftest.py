"""The pages over the data of the browser tests' seed, with the engine on the tests' own Redis."""

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from tests.browser import seed_history, seed_registry


@pytest.fixture
def site(db: None, settings: Settings, redis_url: str) -> Client:
    """An environment without apps, events and runs."""
    settings.REDIS_URL = redis_url
    return Client()


@pytest.fixture
def seeded(site: Client) -> Client:
    seed_registry.write()
    seed_history.write_full()
    return site
