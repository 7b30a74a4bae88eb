"""The REST face in dev mode, with its engine on the tests' own Redis."""

import pytest
from django.test import Client
from pytest_django.fixtures import Settings


@pytest.fixture
def rest(settings: Settings, redis_url: str) -> Client:
    settings.REDIS_URL = redis_url
    return Client(raise_request_exception=False)


@pytest.fixture
def server_mode(settings: Settings) -> None:
    settings.STEPWELL_MODE = "server"
    settings.STEPWELL_SIGNING_KEY = "signkey-prod-deadbeef"
