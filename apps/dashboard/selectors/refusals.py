"""Requests that were refused at the door, out of Redis."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from apps.engine.bridge import engine_call
from apps.engine.engine import Engine
from apps.engine.store.client import RedisError, RedisUnavailable
from apps.refusals.refusal import UNKNOWN
from apps.refusals.store import RefusalRow, RefusalStore
from apps.tenancy.models import DEV_ENVIRONMENT_ID

_TIMEOUT_SECONDS: Final = 2.0

logger = logging.getLogger(__name__)


def refusals(environment_id: UUID) -> list[RefusalRow]:
    """An environment's refusals, the latest first; none while Redis is away, since the page shows more.

    Those of callers whom nobody knows belong to no environment: only the development environment, which
    is the server's own, shows them.
    """
    owners = [str(environment_id)]
    if environment_id == DEV_ENVIRONMENT_ID:
        owners.append(UNKNOWN)
    try:
        rows = engine_call(lambda engine: asyncio.wait_for(_read(engine, owners), _TIMEOUT_SECONDS))
    except (RedisUnavailable, RedisError, TimeoutError) as exc:
        logger.warning("refused requests cannot be shown: %s", exc)
        return []
    return sorted(rows, key=lambda row: -row.last_ms)


async def _read(engine: Engine, owners: Sequence[str]) -> list[RefusalRow]:
    store = RefusalStore(engine.client, engine.keys)
    return [row for owner in owners for row in await store.latest(owner)]
