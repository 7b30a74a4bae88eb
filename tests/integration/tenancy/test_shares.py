"""What an account may use of the queue reaches its node there (apps/tenancy/services.py)."""

import pytest
import redis
from django.core.exceptions import ValidationError
from pytest_django import Settings

from apps.engine import bridge
from apps.tenancy.models import DEV_ACCOUNT_ID, Account
from apps.tenancy.services import account_set_share, publish_all_shares

pytestmark = pytest.mark.django_db

NODE = f"{{q:0}}:n:a:{DEV_ACCOUNT_ID}"


@pytest.fixture
def queue(redis_url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> redis.Redis:
    monkeypatch.setattr(bridge, "_threads", {})  # an engine keeps the policy that it was made with
    settings.REDIS_URL = redis_url
    settings.STEPWELL_SHARD = "0"
    settings.STEPWELL_ACCOUNT_CONCURRENCY = 700
    return redis.Redis.from_url(redis_url, decode_responses=True)


def test_an_accounts_own_limit_and_weight(queue: redis.Redis) -> None:
    account_set_share(account_id=DEV_ACCOUNT_ID, concurrency_limit=5, weight=3)
    assert queue.hgetall(NODE) == {"p": "root", "lim": "5", "w": "3", "own": "1"}


def test_without_a_limit_of_its_own_the_default_holds(queue: redis.Redis) -> None:
    account_set_share(account_id=DEV_ACCOUNT_ID, concurrency_limit=5, weight=3)
    account_set_share(account_id=DEV_ACCOUNT_ID, concurrency_limit=None, weight=1)
    assert queue.hgetall(NODE) == {"p": "root", "lim": "700", "w": "1"}


def test_shares_come_back_after_the_queue_was_lost(queue: redis.Redis) -> None:
    account_set_share(account_id=DEV_ACCOUNT_ID, concurrency_limit=5, weight=2)
    queue.flushall()
    publish_all_shares()
    assert queue.hgetall(NODE) == {"p": "root", "lim": "5", "w": "2", "own": "1"}


def test_a_weight_of_nothing_is_refused(queue: redis.Redis) -> None:
    with pytest.raises(ValidationError, match="weight"):
        account_set_share(account_id=DEV_ACCOUNT_ID, concurrency_limit=None, weight=0)
    assert Account.objects.get(id=DEV_ACCOUNT_ID).weight == 1
    assert queue.hgetall(NODE) == {}
