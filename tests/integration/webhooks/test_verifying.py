"""Verification before the transform: 401, counted, sampled; `verified` for functions; replays."""

import base64
import hashlib
import hmac

import httpx
import pytest
import redis
from asgiref.sync import sync_to_async
from django.db import OperationalError

from apps.engine import clock
from apps.engine.store.client import RedisUnavailable
from apps.ingest.publishing import EventPublisher
from apps.tenancy.models import Environment
from apps.webhooks import configs
from apps.webhooks.choices import Outcome, Scheme, Verified
from apps.webhooks.models import Webhook
from apps.webhooks.replays import UNDER_WAY_SECONDS, ReplayMemory
from tests.integration.credentials.world import Organisation
from tests.integration.webhooks.streams import stored
from tests.integration.webhooks.world import (
    ECHO,
    bodies,
    counts,
    last_delivery,
    logged,
    verified_hook,
)

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

SECRET = "whsec_top_secret"
BODY = b'{"type":"invoice.paid"}'


async def production(org: Organisation) -> Environment:
    return await sync_to_async(lambda: org.production)()


def stripe_headers(time: int | None = None, body: bytes = BODY) -> dict[str, str]:
    at = clock.now_ms() // 1000 if time is None else time
    signature = hmac.new(SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return {"stripe-signature": f"t={at},v1={signature}", "content-type": "application/json"}


async def test_a_verified_delivery(
    web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis
) -> None:
    found = await verified_hook(await production(acme), Scheme.STRIPE, SECRET)
    answer = await web.post(found.url, content=BODY, headers=stripe_headers())
    assert answer.status_code == 200
    [event] = bodies(redis_client)
    meta = event["meta"]["webhook"]
    assert (meta["id"], meta["verified"], meta["scheme"]) == (str(found.webhook.id), True, "stripe")
    delivery = await last_delivery(found)
    assert (delivery.id, delivery.verified) == (meta["delivery"], Verified.YES)
    assert delivery.headers["Stripe-Signature"] == "[redacted]"


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "the header Stripe-Signature is missing"),
        (stripe_headers(time=1), "the time of the signature is outside of the tolerance"),
        (stripe_headers(body=b"other"), "the signature does not match"),
    ],
)
async def test_a_delivery_that_is_not_verified(
    web: httpx.AsyncClient,
    acme: Organisation,
    redis_client: redis.Redis,
    headers: dict[str, str],
    reason: str,
) -> None:
    script = "function transform(e) { if (e.type) for (;;); }"
    found = await verified_hook(await production(acme), Scheme.STRIPE, SECRET, script)
    answer = await web.post(found.url, content=BODY, headers=headers)
    assert (answer.status_code, answer.json()["ids"]) == (401, [""])
    assert answer.json()["error"] == f"Webhook verification failed: {reason}"
    assert stored(redis_client) == []
    delivery = await last_delivery(found)
    assert (delivery.outcome, delivery.verified, delivery.duration_ms) == (
        Outcome.UNVERIFIED,
        Verified.NO,
        0,
    )
    assert await counts(found) == {"unverified": 1}


async def test_a_replay(web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis) -> None:
    found = await verified_hook(await production(acme), Scheme.STRIPE, SECRET)
    headers = stripe_headers()
    statuses = [(await web.post(found.url, content=BODY, headers=headers)).status_code for _ in range(3)]
    assert (statuses, len(stored(redis_client))) == ([200, 401, 401], 1)
    assert (await last_delivery(found)).error == "Webhook verification failed: the delivery came before"
    [key] = redis_client.keys("{q:0}:webhook:*")
    assert 600 <= redis_client.ttl(key) <= 601


async def test_what_was_not_accepted_may_come_again(
    web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis
) -> None:
    script = "function transform(e) { return e.nothing.at.all; }"
    found = await verified_hook(await production(acme), Scheme.STRIPE, SECRET, script)
    headers = stripe_headers()
    statuses = [(await web.post(found.url, content=BODY, headers=headers)).status_code for _ in range(2)]
    assert (statuses, redis_client.keys("{q:0}:webhook:*")) == ([400, 400], [])


async def test_a_process_that_goes_before_its_events_are_stored_loses_none(
    web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await verified_hook(await production(acme), Scheme.STRIPE, SECRET)
    headers = stripe_headers()
    with monkeypatch.context() as process:
        process.setattr(EventPublisher, "publish", _gone)
        process.setattr(ReplayMemory, "release", _gone)
        with pytest.raises(ProcessGone):
            await web.post(found.url, content=BODY, headers=headers)
    [key] = redis_client.keys("{q:0}:webhook:*")
    assert 0 < redis_client.ttl(key) <= UNDER_WAY_SECONDS
    meanwhile = await web.post(found.url, content=BODY, headers=headers)
    assert (meanwhile.status_code, meanwhile.headers["retry-after"]) == (503, str(UNDER_WAY_SECONDS))
    delivery = await last_delivery(found)
    assert (delivery.outcome, delivery.verified) == (Outcome.BUSY, Verified.YES)
    redis_client.delete(key)  # as when its time is over
    statuses = [(await web.post(found.url, content=BODY, headers=headers)).status_code for _ in range(2)]
    assert (statuses, len(stored(redis_client))) == ([200, 401], 1)


async def test_a_publisher_that_fails_lets_the_delivery_come_again(
    web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await verified_hook(await production(acme), Scheme.STRIPE, SECRET)
    headers = stripe_headers()
    with monkeypatch.context() as away:
        away.setattr(EventPublisher, "publish", _away)
        assert (await web.post(found.url, content=BODY, headers=headers)).status_code == 503
    assert (await web.post(found.url, content=BODY, headers=headers)).status_code == 200
    assert len(stored(redis_client)) == 1


async def test_what_is_stored_is_accepted_though_it_cannot_be_remembered_for_long(
    web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error would have the producer send again what has been stored."""
    found = await verified_hook(await production(acme), Scheme.STRIPE, SECRET)
    monkeypatch.setattr(ReplayMemory, "settle", _away)
    answer = await web.post(found.url, content=BODY, headers=stripe_headers())
    assert (answer.status_code, len(stored(redis_client))) == (200, 1)


class ProcessGone(BaseException):
    """The end of a process, of which nothing in it hears."""


async def _gone(*_: object) -> None:
    raise ProcessGone


async def _away(*_: object) -> None:
    raise RedisUnavailable("away")


async def test_two_webhooks_with_one_secret_remember_apart(
    web: httpx.AsyncClient, acme: Organisation, globex: Organisation
) -> None:
    first = await verified_hook(await production(acme), Scheme.STRIPE, SECRET)
    second = await verified_hook(await production(globex), Scheme.STRIPE, SECRET)
    headers = stripe_headers()
    for found in (first, second):
        assert (await web.post(found.url, content=BODY, headers=headers)).status_code == 200


@pytest.mark.parametrize(
    ("scheme", "options", "headers", "hidden"),
    [
        (
            Scheme.BASIC,
            {"username": "ada"},
            {"authorization": "Basic " + base64.b64encode(b"ada:s3cret").decode()},
            "Authorization",
        ),
        (Scheme.HEADER, {"header": "X-Mine"}, {"x-mine": "s3cret"}, "X-Mine"),
    ],
)
async def test_scripts_and_the_log_never_see_the_secret_itself(
    web: httpx.AsyncClient,
    acme: Organisation,
    redis_client: redis.Redis,
    scheme: Scheme,
    options: dict[str, str],
    headers: dict[str, str],
    hidden: str,
) -> None:
    found = await verified_hook(await production(acme), scheme, "s3cret", ECHO, **options)
    assert (await web.post(found.url, json={}, headers=headers)).status_code == 200
    [event] = bodies(redis_client)
    assert event["data"]["headers"][hidden] == "[redacted]"
    assert (await last_delivery(found)).headers[hidden] == "[redacted]"
    assert (await web.post(found.url, json={})).status_code == 401


async def test_a_flood_of_forgeries_leaves_the_log_of_good_deliveries(
    web: httpx.AsyncClient, acme: Organisation
) -> None:
    found = await verified_hook(await production(acme), Scheme.STRIPE, SECRET)
    await web.post(found.url, content=BODY, headers=stripe_headers())
    for _ in range(30):
        await web.post(found.url, content=BODY)
    assert await counts(found) == {"accepted": 1, "unverified": 30}
    outcomes = [delivery.outcome for delivery in await logged(found)]
    assert (outcomes.count("accepted"), outcomes.count("unverified")) == (1, 5)


async def test_a_secret_that_the_server_cannot_read_lets_nothing_through(
    web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis
) -> None:
    found = await verified_hook(await production(acme), Scheme.STRIPE, SECRET)
    rows = Webhook.objects.filter(key_id=found.webhook.key_id)
    await sync_to_async(rows.update)(secret_encrypted="encrypted with another key")
    answer = await web.post(found.url, content=BODY, headers=stripe_headers())
    assert (answer.status_code, stored(redis_client)) == (503, [])


async def test_without_the_database_what_was_known_stays_known(
    web: httpx.AsyncClient, acme: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await verified_hook(await production(acme), Scheme.STRIPE, SECRET)
    assert (await web.post(found.url, content=BODY, headers=stripe_headers())).status_code == 200

    def away(*args: object) -> object:
        raise OperationalError("away")

    monkeypatch.setattr(configs, "config_by_id", away)
    monkeypatch.setattr(configs, "FRESH_SECONDS", -1.0)
    other = stripe_headers(time=clock.now_ms() // 1000 - 5)
    assert (await web.post(found.url, content=BODY, headers=other)).status_code == 200
    monkeypatch.setattr(configs, "STALE_SECONDS", -1.0)
    assert (await web.post(found.url, content=BODY, headers=other)).status_code == 503
