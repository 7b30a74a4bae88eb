"""Telling every process that something about an account has changed which it may have in its memory.

Processes keep what credentials lead to for some seconds (apps/credentials/cache.py). Whoever changes
an account's status or limits, its environments or its credentials announces that here.
"""

import logging
from uuid import UUID

import redis
from django.conf import settings
from django.db import transaction

CHANNEL = "stepwell-changed"

_TIMEOUT_SECONDS = 2.0

logger = logging.getLogger(__name__)


def announce_change(account_id: UUID) -> None:
    """Once the transaction is committed. Where Redis is away, memories end by themselves within 10 s."""
    transaction.on_commit(lambda: _publish(str(account_id)), robust=True)


def _publish(account_id: str) -> None:
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=_TIMEOUT_SECONDS) as client:
            client.publish(CHANNEL, account_id)
    except redis.RedisError as problem:
        logger.warning("a change of account %s is only noticed in some seconds: %s", account_id, problem)
