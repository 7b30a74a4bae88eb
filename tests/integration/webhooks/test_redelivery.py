"""Delivering again what is in the log."""

import httpx
import pytest
import redis
from asgiref.sync import sync_to_async

from apps.audit.models import AuditEntry
from apps.audit.services import SYSTEM
from apps.tenancy.exceptions import AccountSuspended
from apps.tenancy.models import Account, AccountStatus
from apps.webhooks.choices import Outcome, Scheme, Verified
from apps.webhooks.exceptions import NotRedeliverable
from apps.webhooks.models import Delivery
from apps.webhooks.services.redelivery import delivery_redeliver
from apps.webhooks.services.webhooks import webhook_set_transform
from tests.integration.credentials.world import Organisation
from tests.integration.webhooks.streams import stored
from tests.integration.webhooks.test_verifying import BODY, SECRET, stripe_headers
from tests.integration.webhooks.world import NAMED, Hook, bodies, hook, last_delivery, verified_hook

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


async def redelivered(found: Hook, delivery: Delivery) -> Delivery:
    return await sync_to_async(delivery_redeliver)(webhook=found.webhook, delivery=delivery, actor=SYSTEM)


async def delivered(web: httpx.AsyncClient, found: Hook, **options: object) -> Delivery:
    await web.post(found.url, **options)  # type: ignore[arg-type]
    return await last_delivery(found)


async def test_the_webhook_as_it_is_now(
    web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis
) -> None:
    environment = await sync_to_async(lambda: acme.production)()
    found = await hook(environment, "function transform(e) { return e.wrong.name; }")
    first = await delivered(web, found, json={"type": "a"})
    assert (first.outcome, stored(redis_client)) == (Outcome.FAILED, [])
    found.webhook.transform = NAMED
    await sync_to_async(webhook_set_transform)(webhook=found.webhook, transform=NAMED, actor=SYSTEM)
    again = await redelivered(found, first)
    assert (again.outcome, again.status, again.redelivery_of) == (Outcome.ACCEPTED, 200, first.id)
    [entry] = stored(redis_client)
    assert (entry.name, entry.env_id, entry.context.source) == ("a", str(environment.id), "webhook")
    assert again.event_ids == [entry.internal_id]
    assert (await last_delivery(found)).id == again.id
    entry_of_log = await sync_to_async(lambda: AuditEntry.objects.order_by("-number")[0])()
    assert (entry_of_log.action, entry_of_log.after) == (
        "webhook.redeliver",
        {"delivery": first.id, "outcome": "accepted", "events": 1},
    )


async def test_what_was_verified_stays_so(
    web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis
) -> None:
    environment = await sync_to_async(lambda: acme.production)()
    found = await verified_hook(environment, Scheme.STRIPE, SECRET, NAMED)
    first = await delivered(web, found, content=BODY, headers=stripe_headers())
    second = await redelivered(found, first)
    third = await redelivered(found, second)
    assert (second.verified, third.redelivery_of) == (Verified.YES, first.id)
    assert [body["meta"]["webhook"]["verified"] for body in bodies(redis_client)] == [True, True, True]


async def test_what_was_not_verified_is_not_delivered(
    web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis
) -> None:
    environment = await sync_to_async(lambda: acme.production)()
    found = await verified_hook(environment, Scheme.STRIPE, SECRET, NAMED)
    first = await delivered(web, found, content=BODY)
    with pytest.raises(NotRedeliverable, match="Nobody knows who sent"):
        await redelivered(found, first)
    assert stored(redis_client) == []


async def test_what_is_not_kept_whole_is_not_delivered(web: httpx.AsyncClient, acme: Organisation) -> None:
    found = await hook(await sync_to_async(lambda: acme.production)(), NAMED)
    first = await delivered(web, found, json={"type": "a"})
    first.body_bytes += 1
    with pytest.raises(NotRedeliverable, match="the beginning"):
        await redelivered(found, first)


async def test_a_delivery_of_another_webhook(
    web: httpx.AsyncClient, acme: Organisation, globex: Organisation
) -> None:
    ours = await hook(await sync_to_async(lambda: acme.production)(), NAMED)
    theirs = await hook(await sync_to_async(lambda: globex.production)(), NAMED)
    first = await delivered(web, ours, json={"type": "a"})
    with pytest.raises(NotRedeliverable):
        await redelivered(theirs, first)


async def test_a_suspended_account(web: httpx.AsyncClient, acme: Organisation) -> None:
    found = await hook(await sync_to_async(lambda: acme.production)(), NAMED)
    first = await delivered(web, found, json={"type": "a"})
    await sync_to_async(Account.objects.filter(id=acme.account.id).update)(status=AccountStatus.SUSPENDED)
    with pytest.raises(AccountSuspended):
        await redelivered(found, first)


async def test_a_redelivery_that_fails(
    web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis
) -> None:
    found = await hook(await sync_to_async(lambda: acme.production)(), "const transform = (e) => e.x.y;")
    first = await delivered(web, found, json={})
    again = await redelivered(found, first)
    assert (again.outcome, again.status) == (Outcome.FAILED, 400)
    assert again.error.startswith("Webhook transform failed: TypeError")
    assert stored(redis_client) == []
