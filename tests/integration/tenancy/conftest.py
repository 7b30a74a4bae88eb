import pytest
import redis
from pytest_django.fixtures import Settings

from tests.integration.tenancy.cast import Cast, make_cast


@pytest.fixture
def queue(redis_url: str, settings: Settings) -> redis.Redis:
    """Text of the queue that services tell."""
    settings.REDIS_URL = redis_url
    settings.STEPWELL_SHARD = "0"
    settings.STEPWELL_ACCOUNT_CONCURRENCY = 700
    return redis.Redis.from_url(redis_url, decode_responses=True)


@pytest.fixture
def cast(db: None, queue: redis.Redis) -> Cast:
    return make_cast()


@pytest.fixture
def racing_cast(default_database: str, queue: redis.Redis) -> Cast:
    """On each database, for tests with real commits."""
    return make_cast()
