"""Requests that were refused at the door, with long texts and large counts."""

import asyncio

from django.conf import settings

from apps.engine import clock
from apps.engine.keys import Keys
from apps.engine.store.client import RedisClient
from apps.refusals.buffer import Tally
from apps.refusals.refusal import UNKNOWN, Face, Refusal, refusal
from apps.refusals.store import RefusalStore
from apps.tenancy.models import DEV_ENVIRONMENT_ID

OTHER_ENVIRONMENT = "00000000-0000-4000-b000-000000000001"
LONG_SLUG = "a-very-long-function-slug-" * 4
_MINUTE = 60_000


def write() -> None:
    asyncio.run(_write(_tallies(clock.now_ms())))


async def _write(tallies: dict[Refusal, Tally]) -> None:
    client = await RedisClient.connect(settings.REDIS_URL)
    try:
        await RefusalStore(client, Keys(settings.STEPWELL_SHARD)).add(tallies)
    finally:
        await client.close()


def _tallies(now: int) -> dict[Refusal, Tally]:
    def seen(count: int, minutes: int, key_end: str = "") -> Tally:
        return Tally(count, now - 3 * 24 * 60 * _MINUTE, now - minutes * _MINUTE, key_end)

    return {
        _kind(Face.EVENTS, "/e/…", 401, "Event key not found", UNKNOWN): seen(1_204_331, 0, "k3Yz"),
        _kind(
            Face.EVENTS, "/e/…", 400, "invalid event: Expected `str | null`, got `int` - at `$.name`"
        ): seen(17, 2),
        _kind(Face.INVOKE, "/invoke/shop-fulfil-order", 400, "timestamp is before Jan 1, 1980"): seen(1, 13),
        _kind(Face.INVOKE, f"/invoke/{LONG_SLUG}", 400, "Invalid invocation event"): seen(41, 70),
        _kind(Face.SYNC, "/fn/register", 401, "Authentication failed", UNKNOWN): seen(3, 300, "91ab"),
        _kind(Face.SDK, "/v1/checkpoint/…/async", 400, "invalid request body"): seen(5, 2000),
        _kind(Face.EVENTS, "/e/…", 400, "event name is empty", OTHER_ENVIRONMENT): seen(9, 1),
    }


def _kind(face: Face, path: str, status: int, error: str, env_id: str = str(DEV_ENVIRONMENT_ID)) -> Refusal:
    return refusal(face, method="POST", path=path, status=status, error=error, env_id=env_id)
