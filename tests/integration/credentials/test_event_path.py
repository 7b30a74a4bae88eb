"""`POST /e/` and `/invoke/` with stored keys: where events go, and each refusal (spec 05, 1.14)."""

import json
import logging
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
import redis
from asgiref.sync import sync_to_async
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.audit.services import SYSTEM
from apps.credentials import secrets
from apps.credentials.caller import Caller
from apps.credentials.models import EventKey, FilterMode, KeySource
from apps.credentials.permissions import PRESETS
from apps.credentials.process import process_resolver
from apps.credentials.services import (
    api_key_create,
    event_key_create,
    event_key_revoke,
    event_key_set_filter,
)
from apps.engine.event_stream import EventEntry
from apps.engine.store.client import RedisClient, RedisUnavailable
from apps.ingest.app import IngestApp
from apps.ingest.options import IngestOptions
from apps.ingest.rates import IngestRates
from apps.refusals.buffer import RefusalBuffer
from apps.tenancy.models import Account, AccountStatus, Environment
from apps.tenancy.permissions import Permission
from tests.integration.credentials.world import (
    Organisation,
    bearer,
    event_key,
    event_key_of,
    organisation,
    signing_key,
)
from tests.integration.ingest.noting import noted
from tests.integration.ingest.streams import stored

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

EVENT = {"name": "orders/created"}


@pytest.fixture
def acme(transactional_db: None) -> Organisation:
    return organisation("Acme")


@pytest.fixture
def globex(transactional_db: None) -> Organisation:
    return organisation("Globex")


@pytest.fixture
def buffer() -> RefusalBuffer:
    return RefusalBuffer()


@pytest.fixture
async def web(redis_url: str, buffer: RefusalBuffer) -> AsyncIterator[httpx.AsyncClient]:
    store = RedisClient(redis_url)
    options = IngestOptions("server", redis_url, "t", max_event_bytes=10_000, max_body_bytes=100_000)
    app = IngestApp(options, store, buffer, process_resolver())
    transport = httpx.ASGITransport(app, client=("203.0.113.7", 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://stepwell") as client:
        yield client
    await store.close()


async def test_events_say_what_they_came_with(
    web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis
) -> None:
    environment = await sync_to_async(lambda: acme.production)()
    key, row = await sync_to_async(event_key)(environment), await sync_to_async(event_key_of)(environment)
    signing = await sync_to_async(signing_key)(environment)
    await web.post(f"/e/{key}", json=[EVENT, {**EVENT, "id": "own"}])
    for token in (key, signing):
        await web.post("/invoke/app-fn", json={}, headers=bearer(token))
    senders = [entry.sender for entry in stored(redis_client)]
    assert senders == [f"key:{row.id}", f"key:{row.id}", f"key:{row.id}", "api"]


def places(redis_client: redis.Redis) -> list[tuple[str, str, str]]:
    return [(entry.account_id, entry.env_id, entry.name) for entry in entries(redis_client)]


def entries(redis_client: redis.Redis) -> list[EventEntry]:
    return stored(redis_client)


def place(environment: Environment, name: str = "orders/created") -> tuple[str, str, str]:
    return (str(environment.account_id), str(environment.id), name)


def suspended(org: Organisation, status: AccountStatus) -> None:
    Account.objects.filter(id=org.account.id).update(status=status)


async def test_events_go_to_the_environment_of_the_key(
    web: httpx.AsyncClient, acme: Organisation, globex: Organisation, redis_client: redis.Redis
) -> None:
    first, second = await sync_to_async(lambda: (acme.production, globex.production))()
    keys = [await sync_to_async(event_key)(environment) for environment in (first, second)]
    for key in (*keys, keys[0]):
        answer = await web.post(f"/e/{key}", json=EVENT)
        assert answer.status_code == 200
    assert places(redis_client) == [place(first), place(second), place(first)]


async def test_the_header_routes_to_branches(
    web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis
) -> None:
    key = await sync_to_async(lambda: event_key(acme.branches))()
    assert (await web.post(f"/e/{key}", json=EVENT)).status_code == 200
    for name in ("feature/é", " FEATURE/É ", "other"):
        headers = [(b"X-Inngest-Env", name.encode())]
        assert (await web.post(f"/e/{key}", json=EVENT, headers=headers)).status_code == 200
    parent, feature, other = await sync_to_async(
        lambda: (acme.branches, acme.branch("feature/é"), acme.branch("other"))
    )()
    assert places(redis_client) == [place(each) for each in (parent, feature, feature, other)]


async def test_a_name_that_is_none_makes_no_branch(
    web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis
) -> None:
    key = await sync_to_async(lambda: event_key(acme.branches))()
    answer = await web.post(f"/e/{key}", json=EVENT, headers={"x-inngest-env": "x" * 300})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_name")
    assert entries(redis_client) == []
    assert await sync_to_async(acme.account.environments.count)() == 2


async def test_branches_have_an_end(
    web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis
) -> None:
    def limit() -> str:
        Account.objects.filter(id=acme.account.id).update(entitlements={"branch_environments": 1})
        return event_key(acme.branches)

    key = await sync_to_async(limit)()
    assert (await web.post(f"/e/{key}", json=EVENT, headers={"x-inngest-env": "a"})).status_code == 200
    answer = await web.post(f"/e/{key}", json=EVENT, headers={"x-inngest-env": "b"})
    assert (answer.status_code, answer.json()["code"]) == (429, "branch_limit")
    assert len(entries(redis_client)) == 1


async def test_a_key_of_production_ignores_the_header(
    web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis
) -> None:
    production = await sync_to_async(lambda: acme.production)()
    key = await sync_to_async(event_key)(production)
    await web.post(f"/e/{key}", json=EVENT, headers={"x-inngest-env": "feature"})
    assert places(redis_client) == [place(production)]


async def test_an_archived_environment_takes_events(
    web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis
) -> None:
    def archive() -> str:
        Environment.objects.filter(id=acme.production.id).update(archived_at=timezone.now())
        return event_key(acme.production)

    key = await sync_to_async(archive)()
    assert (await web.post(f"/e/{key}", json=EVENT)).status_code == 200
    assert len(entries(redis_client)) == 1


async def test_each_refusal_of_a_key(
    web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis, buffer: RefusalBuffer
) -> None:
    unknown = "k" * 86
    shapes = {
        "": {"status": 401, "message": "", "error": "Event key is required"},
        unknown: {"status": 401, "message": "", "error": "Event key not found"},
        "short": {"status": 401, "message": "", "error": "Event key not found"},
    }
    for key, body in shapes.items():
        for _ in range(2):
            answer = await web.post(f"/e/{key}", json=EVENT)
            assert (answer.status_code, answer.json()) == (401, body)
    assert entries(redis_client) == []
    assert {(one.env_id, one.status) for one, _, _ in noted(buffer)} == {("", 401)}


async def test_a_revoked_key(
    web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis, buffer: RefusalBuffer
) -> None:
    def revoke() -> str:
        event_key_revoke(event_key=event_key_of(acme.production), actor=SYSTEM)
        return event_key(acme.production)

    key = await sync_to_async(revoke)()
    answer = await web.post(f"/e/{key}", json=EVENT)
    assert answer.status_code == 401
    assert answer.json() == {
        "status": 401,
        "message": "",
        "error": "The credential has been revoked or has expired",
        "code": "auth_revoked",
    }
    assert entries(redis_client) == []
    ((refusal, _, _),) = noted(buffer)
    assert refusal.env_id == str((await sync_to_async(lambda: acme.production)()).id)
    assert refusal.reason == "The credential has been revoked or has expired"


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (AccountStatus.SUSPENDED, "account_suspended", "The organisation is suspended"),
        (AccountStatus.DELETING, "account_deleting", "The organisation is being deleted"),
    ],
)
async def test_an_organisation_at_rest_takes_no_events(
    web: httpx.AsyncClient,
    acme: Organisation,
    redis_client: redis.Redis,
    status: AccountStatus,
    code: str,
    error: str,
) -> None:
    key = await sync_to_async(lambda: event_key(acme.production))()
    await sync_to_async(suspended)(acme, status)
    answer = await web.post(f"/e/{key}", json=EVENT)
    assert (answer.status_code, answer.json()) == (
        403,
        {"status": 403, "message": "", "error": error, "code": code},
    )
    assert entries(redis_client) == []


async def test_addresses_are_filtered(
    web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis
) -> None:
    def restrict(ips: list[str]) -> str:
        key = event_key_of(acme.production)
        event_key_set_filter(event_key=key, mode=FilterMode.ALLOW, events=[], ips=ips, actor=SYSTEM)
        process_resolver().cache.forget_all()
        return event_key(acme.production)

    key = await sync_to_async(restrict)(["198.51.100.0/24"])
    answer = await web.post(f"/e/{key}", json=EVENT)
    assert (answer.status_code, answer.json()["code"]) == (403, "ip_denied")
    await sync_to_async(restrict)(["203.0.113.0/24"])
    assert (await web.post(f"/e/{key}", json=EVENT)).status_code == 200
    assert len(entries(redis_client)) == 1


async def test_of_a_batch_only_the_denied_events_are_refused(
    web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis
) -> None:
    def restrict() -> str:
        key = event_key_of(acme.production)
        event_key_set_filter(
            event_key=key, mode=FilterMode.ALLOW, events=["orders/*", "ping"], ips=[], actor=SYSTEM
        )
        return event_key(acme.production)

    key = await sync_to_async(restrict)()
    names = ["orders/a", "users/b", "ping", "pings"]
    answer = await web.post(f"/e/{key}", json=[{"name": name} for name in names])
    assert answer.status_code == 403
    denied = {"code": "event_denied", "error": "The key does not take events of this name"}
    ids = [entry.internal_id for entry in entries(redis_client)]
    assert answer.json() == {
        "ids": ids,
        "status": 403,
        "error": "The key does not take events of this name",
        "errors": [{"index": 1, **denied}, {"index": 3, **denied}],
    }
    assert [entry.name for entry in entries(redis_client)] == ["orders/a", "ping"]
    bad = await web.post(f"/e/{key}", json=[{"name": "users/b"}, {"name": ""}])
    assert (bad.status_code, bad.json()["error"], bad.json()["ids"]) == (400, "event name is empty", [""])
    assert bad.json()["errors"] == [{"index": 0, **denied}]
    assert (await web.post(f"/e/{key}", json={"name": "ping"})).status_code == 200


async def test_the_size_of_an_event_is_the_accounts_too(web: httpx.AsyncClient, acme: Organisation) -> None:
    def limit() -> str:
        Account.objects.filter(id=acme.account.id).update(entitlements={"event_bytes": 100})
        return event_key(acme.production)

    key = await sync_to_async(limit)()
    answer = await web.post(f"/e/{key}", json={"name": "a", "data": {"x": "y" * 200}})
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("Event is over the max size: Max 100 bytes")


async def test_who_sends_too_much_is_told_when_to_come_back(
    web: httpx.AsyncClient, acme: Organisation, globex: Organisation, redis_client: redis.Redis
) -> None:
    def limit() -> tuple[str, str]:
        Account.objects.filter(id=acme.account.id).update(entitlements={"ingest_per_second": 2})
        return event_key(acme.production), event_key(globex.production)

    key, other = await sync_to_async(limit)()
    assert (await web.post(f"/e/{key}", json=[EVENT] * 20)).status_code == 200
    for content in (b'{"name":"a"}', b"not json"):
        answer = await web.post(f"/e/{key}", content=content)
        assert answer.status_code == 429
        assert answer.headers["retry-after"] in ("9", "10")
        assert answer.json() == {
            "status": 429,
            "message": "",
            "error": "The organisation sends more events than it may",
            "code": "rate_limited",
        }
    assert (await web.post(f"/e/{other}", json=EVENT)).status_code == 200
    assert len(entries(redis_client)) == 21


async def test_events_that_are_stored_are_accepted_also_where_they_cannot_be_counted(
    web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error would have the sender repeat, and so double, what is stored."""
    wait_ms = IngestRates._wait_ms

    async def lost(rates: IngestRates, caller: Caller, events: int) -> int:
        if events:
            raise RedisUnavailable("connection closed")
        return await wait_ms(rates, caller, events)

    def limit() -> str:
        Account.objects.filter(id=acme.account.id).update(entitlements={"ingest_per_second": 2})
        return event_key(acme.production)

    key = await sync_to_async(limit)()
    monkeypatch.setattr(IngestRates, "_wait_ms", lost)
    assert (await web.post(f"/e/{key}", json=EVENT)).status_code == 200
    assert len(entries(redis_client)) == 1


async def test_a_limit_of_nothing_takes_nothing(web: httpx.AsyncClient, acme: Organisation) -> None:
    def limit() -> str:
        Account.objects.filter(id=acme.account.id).update(entitlements={"ingest_per_second": 0})
        return event_key(acme.production)

    answer = await web.post(f"/e/{await sync_to_async(limit)()}", json=EVENT)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")


async def test_a_webhook_is_stored_in_the_parent_where_its_branch_is_unknown(
    web: httpx.AsyncClient, acme: Organisation
) -> None:
    def hook() -> str:
        row = event_key_create(environment=acme.branches, name="hook", source=KeySource.WEBHOOK, actor=SYSTEM)
        return event_key_of_row(row)

    key = await sync_to_async(hook)()
    resolver = process_resolver()
    found = await resolver.event_key(key, env_name="unknown")
    assert (found.environment_id, found.kind) == (  # type: ignore[union-attr]
        (await sync_to_async(lambda: acme.branches)()).id,
        "webhook",
    )
    assert await sync_to_async(acme.account.environments.count)() == 2


def event_key_of_row(row: EventKey) -> str:
    return secrets.decrypt(row.value_encrypted)


async def test_invoking_takes_signing_keys_event_keys_and_api_keys(
    web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis
) -> None:
    def secrets_of() -> list[str]:
        api_keys = [
            api_key_create(
                account=acme.account,
                environment=acme.production,
                name=name,
                permissions=permissions,
                actor=SYSTEM,
            )[1]
            for name, permissions in (("ops", PRESETS["operate"]), ("reader", [Permission.VIEW]))
        ]
        return [signing_key(acme.production), event_key(acme.production), *api_keys]

    signing, event, operating, reading = await sync_to_async(secrets_of)()
    for secret in (signing, event, operating):
        answer = await web.post("/invoke/app-fn", json={}, headers=bearer(secret))
        assert answer.status_code == 200
    refused = await web.post("/invoke/app-fn", json={}, headers=bearer(reading))
    assert (refused.status_code, json.loads(refused.content)) == (
        403,
        {
            "code": "forbidden",
            "error": "The credential lacks the permission function.invoke",
            "data": None,
            "status": 403,
        },
    )
    for headers in ({}, bearer("wrong"), bearer("a" * 64)):
        unknown = await web.post("/invoke/app-fn", json={}, headers=headers)
        assert (unknown.status_code, unknown.text) == (401, "Authentication failed\n")
    production = await sync_to_async(lambda: acme.production)()
    assert places(redis_client) == [place(production, "inngest/function.invoked")] * 3


async def test_nothing_is_invoked_in_an_archived_environment(
    web: httpx.AsyncClient, acme: Organisation
) -> None:
    def archive() -> str:
        Environment.objects.filter(id=acme.production.id).update(archived_at=timezone.now())
        return signing_key(acme.production)

    answer = await web.post("/invoke/app-fn", json={}, headers=bearer(await sync_to_async(archive)()))
    assert (answer.status_code, answer.json()["code"]) == (409, "env_archived")


async def test_the_keys_of_the_server_are_those_of_its_own_environment(
    redis_url: str, redis_client: redis.Redis, settings: Settings, acme: Organisation
) -> None:
    settings.STEPWELL_EVENT_KEYS = ["own-key"]
    store = RedisClient(redis_url)
    options = IngestOptions(
        "server",
        redis_url,
        "t",
        max_event_bytes=10_000,
        max_body_bytes=10_000,
        event_keys=("own-key",),
    )
    transport = httpx.ASGITransport(IngestApp(options, store, RefusalBuffer(), process_resolver()))
    async with httpx.AsyncClient(transport=transport, base_url="http://stepwell") as client:
        assert (await client.post("/e/own-key", json=EVENT)).status_code == 200
        key = await sync_to_async(lambda: event_key(acme.production))()
        assert (await client.post(f"/e/{key}", json=EVENT)).status_code == 200
    await store.close()
    found = [entry.env_id for entry in entries(redis_client)]
    assert found[0] == "00000000-0000-4000-b000-000000000000"
    assert found[1] == str((await sync_to_async(lambda: acme.production)()).id)


async def test_no_key_is_in_a_log(
    web: httpx.AsyncClient, acme: Organisation, caplog: pytest.LogCaptureFixture, buffer: RefusalBuffer
) -> None:
    caplog.set_level(logging.DEBUG)
    key = await sync_to_async(lambda: event_key(acme.production))()
    secret = await sync_to_async(lambda: signing_key(acme.production))()
    wrong = "w" * 86
    for path in (f"/e/{key}", f"/e/{wrong}", f"/e/{key}/x", f"/invoke/{key}"):
        await web.post(path, json={"name": ""}, headers=bearer(secret))
    kept = caplog.text + str(noted(buffer))
    stepwell = "\n".join(line for line in kept.splitlines() if "HTTP Request" not in line)
    for hidden in (key, wrong, secret, secret.rpartition("-")[2]):
        assert hidden not in stepwell


async def test_a_key_that_will_be_revoked_ends_at_its_time(
    web: httpx.AsyncClient, acme: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def revoke_soon() -> tuple[str, float]:
        at = timezone.now() + timedelta(seconds=60)
        event_key_revoke(event_key=event_key_of(acme.production), actor=SYSTEM, at=at)
        return event_key(acme.production), at.timestamp()

    key, at = await sync_to_async(revoke_soon)()
    assert (await web.post(f"/e/{key}", json=EVENT)).status_code == 200
    monkeypatch.setattr("apps.credentials.resolution.time", lambda: at)
    assert (await web.post(f"/e/{key}", json=EVENT)).status_code == 401
