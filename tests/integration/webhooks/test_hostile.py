"""Scripts that never end: the web process goes on, other tenants are served, the webhook pauses."""

import asyncio
import time

import httpx
import pytest
import redis
from asgiref.sync import sync_to_async

from apps.webhooks import breaker
from apps.webhooks.choices import Outcome
from apps.webhooks.runtime import pool as pool_module
from tests.integration.credentials.world import Organisation, event_key
from tests.integration.webhooks.world import NAMED, counts, hook, last_delivery

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

ENDLESS = "function transform(e) { if (e.go) for (;;); return null; }"


async def test_the_web_process_and_other_tenants_go_on(
    web: httpx.AsyncClient, acme: Organisation, globex: Organisation
) -> None:
    bad = await hook(await sync_to_async(lambda: acme.production)(), ENDLESS)
    good = await hook(await sync_to_async(lambda: globex.production)(), NAMED)
    key = await sync_to_async(lambda: event_key(globex.production))()
    for url in (good.url, f"/e/{key}"):  # caches and processes are warm
        await web.post(url, json={"type": "a", "name": "a"})
    attacks = [asyncio.ensure_future(web.post(bad.url, json={"go": 1})) for _ in range(12)]
    started = time.monotonic()
    for _ in range(5):
        assert (await web.post(f"/e/{key}", json={"name": "a"})).status_code == 200
    plain_seconds = time.monotonic() - started
    for _ in range(5):
        assert (await web.post(good.url, json={"type": "a"})).status_code == 200
    others_seconds = time.monotonic() - started
    assert not all(attack.done() for attack in attacks)
    answers = await asyncio.gather(*attacks)
    assert {answer.status_code for answer in answers} <= {400, 429, 503}
    assert plain_seconds < 2.0
    assert others_seconds < 6.0


async def test_too_many_deliveries_of_one_tenant(web: httpx.AsyncClient, acme: Organisation) -> None:
    found = await hook(await sync_to_async(lambda: acme.production)(), ENDLESS)
    attempts = [web.post(found.url, json={"go": 1}) for _ in range(pool_module.MAX_WAITING_EACH + 8)]
    answers = await asyncio.gather(*attempts)
    statuses = [answer.status_code for answer in answers]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert set(statuses) <= {400, 429, 503}
    assert len(refused) >= 6
    assert {answer.headers["retry-after"] for answer in refused} == {"2"}


async def test_a_webhook_pauses_after_timeouts_in_a_row(
    web: httpx.AsyncClient,
    acme: Organisation,
    redis_client: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(breaker, "LIMIT", 2)
    found = await hook(await sync_to_async(lambda: acme.production)(), ENDLESS)
    for _ in range(2):
        assert (await web.post(found.url, json={"go": 1})).status_code == 400
    paused = await web.post(found.url, json={})
    assert paused.status_code == 503
    assert 50 < int(paused.headers["retry-after"]) <= 61
    assert (await last_delivery(found)).outcome == Outcome.SUSPENDED
    assert await counts(found) == {"failed": 2, "refused": 1}
