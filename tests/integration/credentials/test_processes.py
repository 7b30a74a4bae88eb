"""What is revoked ends in every process, and what is used is noted."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.audit.services import SYSTEM
from apps.credentials import cache as cache_module
from apps.credentials import secrets as secrets_module
from apps.credentials.caller import Caller
from apps.credentials.configured import ConfiguredDirectory
from apps.credentials.database import DatabaseDirectory
from apps.credentials.listening import ChangeListener
from apps.credentials.models import ApiKey, EventKey, PersonalToken, SigningKey, SigningKeyState
from apps.credentials.resolution import CredentialResolver
from apps.credentials.services import (
    api_key_create,
    event_key_create,
    event_key_revoke,
    signing_key_create_pending,
    signing_key_rotate,
    token_create,
    token_revoke,
)
from apps.credentials.signing import Key, KeyRing, KeySet, key_set
from apps.credentials.usage import UsageBuffer, UsageWriter, usage_write
from apps.credentials.uses import READ
from apps.tenancy.announcements import announce_change
from apps.tenancy.models import DEV_ENVIRONMENT_ID, Account, AccountStatus
from apps.tenancy.permissions import Permission
from tests.conftest import free_port
from tests.integration.credentials.world import (
    Organisation,
    event_key,
    event_key_of,
    organisation,
    signing_key,
    signing_key_of,
)

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

DEADLINE_SECONDS = 5.0


@pytest.fixture
def acme(transactional_db: None) -> Organisation:
    return organisation("Acme")


class Process:
    """What a process has: a resolver, a ring of signing keys, and the listener that empties them."""

    def __init__(self, url: str) -> None:
        self.usage = UsageBuffer()
        directory = ConfiguredDirectory((), (), DatabaseDirectory())
        self.resolver = CredentialResolver(directory, usage=self.usage)
        self.ring = KeyRing()
        self.listener = ChangeListener(url, lambda: [self.resolver.cache, self.ring])
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self.listener.run(self._stop))
        await asyncio.wait_for(self.listener.is_listening.wait(), DEADLINE_SECONDS)

    async def stop(self) -> None:
        self._stop.set()
        if self._task:
            await self._task

    async def verdict(self, key: str) -> str:
        found = await self.resolver.event_key(key)
        return "ok" if isinstance(found, Caller) else str(found.code)

    async def verdict_of_bearer(self, token: str) -> str:
        found = await self.resolver.bearer(token, use=READ, permission=Permission.VIEW, env_name="production")
        return "ok" if isinstance(found, Caller) else str(found.code)


@pytest.fixture
async def processes(redis_url: str) -> AsyncIterator[list[Process]]:
    both = [Process(redis_url), Process(redis_url)]
    for process in both:
        await process.start()
    yield both
    for process in both:
        await process.stop()


async def become(expected: list[str], ask: Callable[[], "asyncio.Future[list[str]]"]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while (found := await ask()) != expected:
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.01)


async def both_say(processes: list[Process], key: str, expected: str) -> None:
    def ask() -> "asyncio.Future[list[str]]":
        return asyncio.gather(*(process.verdict(key) for process in processes))

    await become([expected, expected], ask)


async def test_a_revocation_is_heard_in_every_process(processes: list[Process], acme: Organisation) -> None:
    key = await sync_to_async(lambda: event_key(acme.production))()
    await both_say(processes, key, "ok")
    await sync_to_async(lambda: event_key_revoke(event_key=event_key_of(acme.production), actor=SYSTEM))()
    await both_say(processes, key, "auth_revoked")


async def test_the_revocation_of_a_token_is_heard_in_every_process(
    processes: list[Process], acme: Organisation
) -> None:
    """Without the channel, what is known lasts 10 s, as below."""

    def make() -> tuple[PersonalToken, str]:
        return token_create(
            account=acme.account, user=acme.owner, name="cli", permissions=[Permission.VIEW], actor=SYSTEM
        )

    def ask() -> "asyncio.Future[list[str]]":
        return asyncio.gather(*(process.verdict_of_bearer(plaintext) for process in processes))

    token, plaintext = await sync_to_async(make)()
    await become(["ok", "ok"], ask)
    await sync_to_async(lambda: token_revoke(token=token, actor=SYSTEM))()
    await become(["auth_revoked", "auth_revoked"], ask)


async def test_a_new_key_is_known_at_once(processes: list[Process], acme: Organisation) -> None:
    def make() -> str:
        row = event_key_create(environment=acme.production, name="new", actor=SYSTEM)
        return secrets_module.decrypt(row.value_encrypted)

    await both_say(processes, "u" * 86, "auth_invalid")
    await both_say(processes, await sync_to_async(make)(), "ok")


async def test_the_state_of_an_account_is_heard_too(processes: list[Process], acme: Organisation) -> None:
    def suspend() -> None:
        Account.objects.filter(id=acme.account.id).update(status=AccountStatus.SUSPENDED)
        announce_change(acme.account.id)

    key = await sync_to_async(lambda: event_key(acme.production))()
    await both_say(processes, key, "ok")
    await sync_to_async(suspend)()
    await both_say(processes, key, "account_suspended")


async def test_a_rotation_reaches_who_signs(processes: list[Process], acme: Organisation) -> None:
    def rotate() -> str:
        signing_key_create_pending(environment=acme.production, actor=SYSTEM)
        signing_key_rotate(environment=acme.production, actor=SYSTEM)
        return signing_key(acme.production)

    env_id, old = await sync_to_async(lambda: (str(acme.production.id), signing_key(acme.production)))()

    def ask() -> "asyncio.Future[list[str]]":
        return asyncio.gather(*(process.ring.signing_key(env_id) for process in processes))

    await become([old, old], ask)
    new = await sync_to_async(rotate)()
    assert new != old
    await become([new, new], ask)


async def test_without_the_channel_what_is_known_lasts_10_s(
    acme: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    deaf = Process(f"redis://127.0.0.1:{free_port()}/0")
    key = await sync_to_async(lambda: event_key(acme.production))()
    assert await deaf.verdict(key) == "ok"
    await sync_to_async(lambda: event_key_revoke(event_key=event_key_of(acme.production), actor=SYSTEM))()
    assert await deaf.verdict(key) == "ok"
    later = time.monotonic() + 10.1
    monkeypatch.setattr(cache_module, "monotonic", lambda: later)
    assert await deaf.verdict(key) == "auth_revoked"


async def test_a_listener_waits_for_redis(caplog: pytest.LogCaptureFixture) -> None:
    stop = asyncio.Event()
    deaf = Process(f"redis://127.0.0.1:{free_port()}/0")
    task = asyncio.create_task(deaf.listener.run(stop))
    deadline = time.monotonic() + DEADLINE_SECONDS
    while "changes of credentials are not heard for now" not in caplog.text:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    assert not deaf.resolver.cache.may_be_stale
    stop.set()
    await asyncio.wait_for(task, DEADLINE_SECONDS)


async def test_what_is_heard_first_empties_the_cache(redis_url: str, acme: Organisation) -> None:
    process = Process(redis_url)
    key = await sync_to_async(lambda: event_key(acme.production))()
    await process.verdict(key)
    await process.start()
    assert process.resolver.cache.may_be_stale
    assert process.resolver.cache._entries == {}
    await process.stop()
    assert not process.resolver.cache.may_be_stale


async def test_uses_are_written_in_one_go(processes: list[Process], acme: Organisation) -> None:
    process = processes[0]
    secrets = await sync_to_async(lambda: (event_key(acme.production), signing_key(acme.production)))()
    api_key, plaintext = await sync_to_async(
        lambda: api_key_create(
            account=acme.account,
            environment=acme.production,
            name="ci",
            permissions=[Permission.VIEW],
            actor=SYSTEM,
        )
    )()
    before = timezone.now() - timedelta(seconds=2)
    for _ in range(20):
        await process.verdict(secrets[0])
        for token in (secrets[1], plaintext):
            await process.resolver.bearer(token, use=READ, permission=Permission.VIEW, ip="203.0.113.5")
    await UsageWriter(process.usage).flush()

    def written() -> tuple[EventKey, SigningKey, ApiKey]:
        return (
            event_key_of(acme.production),
            signing_key_of(acme.production),
            ApiKey.objects.get(id=api_key.id),
        )

    event, signing, api = await sync_to_async(written)()
    assert event.last_used_at is not None
    assert event.last_used_at > before
    assert signing.last_seen_at is not None
    assert api.last_used_at is not None
    assert api.last_used_ip == "203.0.113.5"
    assert process.usage.take() == {}


def test_an_earlier_use_replaces_no_later_one(acme: Organisation) -> None:
    buffer = UsageBuffer()
    key = event_key_of(acme.production)
    later = timezone.now() + timedelta(hours=1)
    EventKey.objects.filter(id=key.id).update(last_used_at=later)
    buffer.note("event_key", str(key.id))
    buffer.note("event_key", "")
    buffer.note("session", "x")
    usage_write(buffer.take())
    key.refresh_from_db()
    assert key.last_used_at == later


async def test_uses_that_cannot_be_written_are_dropped(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(uses: object) -> None:
        raise OperationalError("away")

    monkeypatch.setattr("apps.credentials.usage.usage_write", fail)
    buffer = UsageBuffer()
    buffer.note("event_key", "x")
    await UsageWriter(buffer).flush()
    assert "the last use of 1 credentials was not written: away" in caplog.text


def test_the_keys_of_an_environment_in_their_order(acme: Organisation) -> None:
    active = signing_key(acme.production)
    pending_row = signing_key_create_pending(environment=acme.production, actor=SYSTEM)
    pending = signing_key(acme.production, SigningKeyState.PENDING)
    keys = key_set(acme.production.id)
    assert (keys.signs, keys.values, keys.probes) == (active, [active, pending], (pending, active))
    assert keys.accepted[1] == Key(pending, str(pending_row.id), is_pending=True)
    assert pending not in repr(keys)
    signing_key_rotate(environment=acme.production, actor=SYSTEM)
    keys = key_set(acme.production.id)
    assert (keys.signs, keys.values, keys.probes) == (pending, [pending, active], (pending,))
    SigningKey.objects.filter(state=SigningKeyState.RETIRED).update(retired_until=timezone.now())
    assert key_set(acme.production.id).values == [pending]


def test_keys_of_the_server_come_first_in_its_own_environment(settings: Settings, acme: Organisation) -> None:
    settings.STEPWELL_SIGNING_KEY, settings.STEPWELL_SIGNING_KEY_FALLBACK = "aa", "bb"
    assert key_set(DEV_ENVIRONMENT_ID).values == ["aa", "bb"]
    assert "aa" not in key_set(acme.production.id).values
    settings.STEPWELL_MODE = "dev"
    assert key_set(acme.production.id) == KeySet()


async def test_a_ring_goes_on_while_the_database_is_away(
    redis_url: str, acme: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    env_id = await sync_to_async(lambda: str(acme.production.id))()
    answers: list[KeySet | Exception] = [KeySet((Key("aa"),), acme.account.id), OperationalError("away")]

    def look_up(environment_id: object) -> KeySet:
        answer = answers[0] if len(answers) == 1 else answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    ring = KeyRing(look_up)
    assert await ring.signing_key(env_id) == "aa"
    later = time.monotonic() + 11
    monkeypatch.setattr("apps.credentials.signing.time.monotonic", lambda: later)
    with pytest.raises(OperationalError):
        await ring.signing_key(env_id)
    ring.may_be_stale = True
    assert await ring.signing_key(env_id) == "aa"
    ring.forget_account(acme.account.id)
    with pytest.raises(OperationalError):
        await ring.signing_key(env_id)


async def test_many_requests_of_an_environment_ask_once(acme: Organisation) -> None:
    env_id = await sync_to_async(lambda: str(acme.production.id))()
    asked: list[object] = []

    def look_up(environment_id: object) -> KeySet:
        asked.append(environment_id)
        return KeySet((Key("aa"),))

    ring = KeyRing(look_up)
    assert set(await asyncio.gather(*(ring.signing_key(env_id) for _ in range(50)))) == {"aa"}
    assert len(asked) == 1
