import asyncio
import time
from dataclasses import replace
from functools import partial
from uuid import UUID

import pytest

from apps.credentials import cache, uses
from apps.credentials.caller import Caller, CredentialKind, Refused
from apps.credentials.directory import DirectoryUnavailable
from apps.credentials.filters import KeyFilter
from apps.credentials.resolution import DEV_CALLER, MAX_UNDER_WAY, CredentialResolver
from apps.credentials.usage import UsageBuffer
from apps.tenancy.models import AccountStatus
from apps.tenancy.permissions import Permission
from tests.unit.credentials.directory import (
    ACCOUNT,
    ACCOUNT_KEY,
    BRANCH_KEY,
    BRANCH_SIGNING_KEY,
    CHILD,
    EVENT_KEY,
    PARENT,
    PRODUCTION,
    SIGNING_KEY,
    MemoryDirectory,
)

USER = UUID(int=77)


@pytest.fixture
def directory() -> MemoryDirectory:
    return MemoryDirectory(
        event_keys={"e": EVENT_KEY, "b": BRANCH_KEY},
        bearers={"s": SIGNING_KEY, "bs": BRANCH_SIGNING_KEY, "a": ACCOUNT_KEY},
    )


@pytest.fixture
def resolver(directory: MemoryDirectory) -> CredentialResolver:
    return CredentialResolver(directory, usage=UsageBuffer())


def verdict(found: Caller | Refused) -> tuple[int, str]:
    return (found.status, str(found.code)) if isinstance(found, Refused) else (200, found.credential_id)


async def read(resolver: CredentialResolver, token: str, env_name: str = "") -> Caller | Refused:
    return await resolver.bearer(token, use=uses.READ, permission=Permission.VIEW, env_name=env_name)


async def test_dev_mode_takes_anything_but_an_empty_event_key(directory: MemoryDirectory) -> None:
    resolver = CredentialResolver(directory, is_open=True)
    assert await resolver.event_key("anything", env_name="main") is DEV_CALLER
    assert await read(resolver, "") is DEV_CALLER
    assert verdict(await resolver.event_key("")) == (401, "auth_missing")
    assert resolver.event_key_sync("x") is DEV_CALLER
    assert directory.asked == 0


async def test_each_refusal_of_authentication(
    resolver: CredentialResolver, directory: MemoryDirectory
) -> None:
    assert verdict(await resolver.event_key("")) == (401, "auth_missing")
    assert verdict(await read(resolver, "")) == (401, "auth_missing")
    assert verdict(await resolver.event_key("s")) == (401, "auth_invalid")
    assert verdict(await read(resolver, "e")) == (401, "auth_invalid")
    directory.event_keys["e"] = replace(EVENT_KEY, ends_at=time.time() - 1)
    assert verdict(await resolver.event_key("e")) == (401, "auth_revoked")


@pytest.mark.parametrize(
    ("status", "code"),
    [(AccountStatus.SUSPENDED, "account_suspended"), (AccountStatus.DELETING, "account_deleting")],
)
async def test_an_account_at_rest_is_read_only(
    resolver: CredentialResolver, directory: MemoryDirectory, status: AccountStatus, code: str
) -> None:
    directory.event_keys["e"] = replace(EVENT_KEY, account_status=status)
    directory.bearers["s"] = replace(SIGNING_KEY, account_status=status)
    refused = await resolver.event_key("e")
    assert verdict(refused) == (403, code)
    assert isinstance(refused, Refused)
    assert refused.environment_id == PRODUCTION.environment_id
    assert verdict(await read(resolver, "s")) == (200, "sk")
    for use in (uses.WRITE, uses.SYNC, uses.CHECKPOINT):
        found = await resolver.bearer("s", use=use, permission=Permission.APP_SYNC)
        assert verdict(found) == (403, code)


async def test_a_header_is_nothing_to_a_key_of_one_environment(resolver: CredentialResolver) -> None:
    found = await resolver.event_key("e", env_name="feature")
    assert isinstance(found, Caller)
    assert found.environment_id == PRODUCTION.environment_id
    assert found.env_id == str(PRODUCTION.environment_id)
    assert found.tenant == (found.env_id, str(ACCOUNT))


async def test_a_key_of_branches_is_routed_by_the_header(
    resolver: CredentialResolver, directory: MemoryDirectory
) -> None:
    at_parent = await resolver.event_key("b")
    at_child = await resolver.event_key("b", env_name=" feature ")
    made = await resolver.event_key("b", env_name="new")
    assert isinstance(at_parent, Caller)
    assert isinstance(at_child, Caller)
    assert isinstance(made, Caller)
    assert at_parent.environment_id == PARENT.environment_id
    assert at_child.environment_id == CHILD.environment_id
    assert made.environment_id == directory.places[-1].environment_id
    assert {caller.key_owner_id for caller in (at_parent, at_child, made)} == {PARENT.environment_id}


async def test_a_webhook_makes_no_branch(resolver: CredentialResolver, directory: MemoryDirectory) -> None:
    directory.event_keys["w"] = replace(BRANCH_KEY, kind=CredentialKind.WEBHOOK)
    found = await resolver.event_key("w", env_name="new")
    assert isinstance(found, Caller)
    assert found.environment_id == PARENT.environment_id
    assert len(directory.places) == 3


async def test_calls_of_a_branch_key_must_name_the_branch(resolver: CredentialResolver) -> None:
    assert verdict(await read(resolver, "bs")) == (400, "env_unspecified")
    assert verdict(await read(resolver, "bs", "unknown")) == (404, "env_not_found")
    assert verdict(await read(resolver, "bs", "feature")) == (200, "bsk")
    sync = await resolver.bearer("bs", use=uses.SYNC, permission=Permission.APP_SYNC)
    assert verdict(sync) == (400, "env_unspecified")


async def test_a_key_of_all_environments_must_name_one(
    resolver: CredentialResolver, directory: MemoryDirectory
) -> None:
    assert verdict(await read(resolver, "a")) == (400, "env_unspecified")
    assert verdict(await read(resolver, "a", "nowhere")) == (404, "env_not_found")
    assert verdict(await read(resolver, "a", "Production")) == (200, "ak")
    directory.places.append(replace(PRODUCTION, environment_id=UUID(int=9)))
    assert verdict(await read(resolver, "a", "Production ")) == (400, "env_name_ambiguous")


async def test_what_an_archived_environment_still_does(
    resolver: CredentialResolver, directory: MemoryDirectory
) -> None:
    archived = replace(PRODUCTION, is_archived=True)
    directory.event_keys["e"] = replace(EVENT_KEY, place=archived)
    directory.bearers["s"] = replace(SIGNING_KEY, place=archived)
    events = await resolver.event_key("e")
    assert isinstance(events, Caller)
    assert events.environment_archived
    assert verdict(await read(resolver, "s")) == (200, "sk")
    cancel = await resolver.bearer("s", use=uses.WRITE, permission=Permission.RUN_CANCEL)
    assert verdict(cancel) == (200, "sk")
    invoke = await resolver.bearer("s", use=uses.WRITE, permission=Permission.FUNCTION_INVOKE)
    assert verdict(invoke) == (409, "env_archived")
    sync = await resolver.bearer("s", use=uses.SYNC, permission=Permission.APP_SYNC)
    assert verdict(sync) == (409, "env_archived")


async def test_a_sync_brings_an_archived_branch_back(
    resolver: CredentialResolver, directory: MemoryDirectory
) -> None:
    directory.places[2] = replace(CHILD, is_archived=True)
    sync = await resolver.bearer("bs", use=uses.SYNC, permission=Permission.APP_SYNC, env_name="feature")
    assert isinstance(sync, Caller)
    assert not sync.environment_archived


async def test_a_missing_permission_is_named(resolver: CredentialResolver) -> None:
    found = await resolver.bearer("s", use=uses.READ, permission=Permission.MEMBER_MANAGE)
    assert isinstance(found, Refused)
    assert verdict(found) == (403, "forbidden")
    assert found.message == "The credential lacks the permission member.manage"


async def test_a_token_is_bounded_by_the_role(
    resolver: CredentialResolver, directory: MemoryDirectory
) -> None:
    token = replace(
        ACCOUNT_KEY,
        kind=CredentialKind.TOKEN,
        user_id=USER,
        permissions=frozenset({Permission.VIEW, Permission.RUN_CANCEL}),
    )
    directory.bearers["t"] = token
    assert verdict(await read(resolver, "t", "Production")) == (401, "auth_invalid")
    resolver.cache.forget_all()
    directory.members[USER] = frozenset({Permission.VIEW, Permission.REPLAY})
    found = await read(resolver, "t", "Production")
    assert isinstance(found, Caller)
    assert found.permissions == {Permission.VIEW}


async def test_addresses_are_filtered_on_hits_too(
    resolver: CredentialResolver, directory: MemoryDirectory
) -> None:
    only = KeyFilter(is_allow=True, events=[], ips=["203.0.113.0/24"])
    directory.event_keys["e"] = replace(EVENT_KEY, filter=only)
    for _ in range(2):
        assert verdict(await resolver.event_key("e", ip="203.0.113.9")) == (200, "ek")
        assert verdict(await resolver.event_key("e", ip="198.51.100.1")) == (403, "ip_denied")
    assert directory.asked == 1


async def test_hits_ask_nothing_and_note_nothing(directory: MemoryDirectory) -> None:
    usage = UsageBuffer()
    resolver = CredentialResolver(directory, usage=usage)
    for _ in range(50):
        await resolver.event_key("e")
    resolver.event_key_sync("e")
    assert directory.asked == 1
    assert list(usage.take()) == [("event_key", "ek")]
    await resolver.event_key("e")
    assert usage.take() == {}


async def test_many_at_once_ask_once(resolver: CredentialResolver, directory: MemoryDirectory) -> None:
    found = await asyncio.gather(*(resolver.event_key("e") for _ in range(20)))
    assert {verdict(one) for one in found} == {(200, "ek")}
    assert directory.asked == 1


async def test_who_gives_up_takes_nothing_from_the_others(resolver: CredentialResolver) -> None:
    first = asyncio.ensure_future(resolver.event_key("e"))
    second = asyncio.ensure_future(resolver.event_key("e"))
    await asyncio.sleep(0)
    first.cancel()
    assert verdict(await second) == (200, "ek")


async def test_unknown_keys_are_remembered_for_5_s(
    resolver: CredentialResolver, directory: MemoryDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(10):
        assert verdict(await resolver.event_key("x", env_name="any")) == (401, "auth_invalid")
    assert directory.asked == 1
    directory.event_keys["x"] = EVENT_KEY
    now = time.monotonic()
    monkeypatch.setattr(cache, "monotonic", lambda: now + 5.1)
    assert verdict(await resolver.event_key("x")) == (200, "ek")


async def test_known_keys_are_looked_up_again_after_10_s(
    resolver: CredentialResolver, directory: MemoryDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    await resolver.event_key("e")
    del directory.event_keys["e"]
    now = time.monotonic()
    monkeypatch.setattr(cache, "monotonic", lambda: now + 9.9)
    assert verdict(await resolver.event_key("e")) == (200, "ek")
    monkeypatch.setattr(cache, "monotonic", lambda: now + 10.1)
    assert verdict(await resolver.event_key("e")) == (401, "auth_invalid")


async def test_a_key_ends_at_its_time_on_hits_too(
    resolver: CredentialResolver, directory: MemoryDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = time.time() + 5
    directory.event_keys["e"] = replace(EVENT_KEY, ends_at=end)
    assert verdict(await resolver.event_key("e")) == (200, "ek")
    monkeypatch.setattr("apps.credentials.resolution.time", lambda: end)
    assert verdict(await resolver.event_key("e")) == (401, "auth_revoked")
    assert directory.asked == 1


async def test_an_announced_change_forgets_the_account(
    resolver: CredentialResolver, directory: MemoryDirectory
) -> None:
    await resolver.event_key("e")
    await resolver.event_key("x")
    resolver.cache.forget_account(UUID(int=99))
    del directory.event_keys["e"]
    directory.event_keys["x"] = EVENT_KEY
    assert verdict(await resolver.event_key("e")) == (200, "ek")
    assert verdict(await resolver.event_key("x")) == (200, "ek")
    resolver.cache.forget_account(ACCOUNT)
    assert verdict(await resolver.event_key("e")) == (401, "auth_invalid")


async def test_what_was_looked_up_before_a_change_is_not_kept(
    resolver: CredentialResolver, directory: MemoryDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(presented: str) -> object:
        resolver.cache.forget_account(ACCOUNT)
        return EVENT_KEY

    monkeypatch.setattr(directory, "event_key", look)
    await resolver.event_key("e")
    monkeypatch.undo()
    del directory.event_keys["e"]
    assert verdict(await resolver.event_key("e")) == (401, "auth_invalid")


async def test_while_nothing_can_be_looked_up_known_keys_stay_known(
    resolver: CredentialResolver, directory: MemoryDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    await resolver.event_key("e")
    directory.is_away = True
    now = time.monotonic()
    monkeypatch.setattr(cache, "monotonic", lambda: now + 60)
    assert verdict(await resolver.event_key("e")) == (503, "auth_unavailable")
    resolver.cache.may_be_stale = True
    asked = directory.asked
    for _ in range(5):
        assert verdict(await resolver.event_key("e")) == (200, "ek")
    assert directory.asked == asked + 1
    assert verdict(await resolver.event_key("x")) == (503, "auth_unavailable")
    resolver.cache.forget_account(ACCOUNT)
    assert verdict(await resolver.event_key("e")) == (503, "auth_unavailable")


async def test_known_keys_do_not_stay_known_for_ever(
    resolver: CredentialResolver, directory: MemoryDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    await resolver.event_key("e")
    directory.is_away, resolver.cache.may_be_stale = True, True
    start = time.monotonic()
    for seconds in range(60, 3600, 60):
        monkeypatch.setattr(cache, "monotonic", partial(float, start + seconds))
        assert verdict(await resolver.event_key("e")) == (200, "ek")
    monkeypatch.setattr(cache, "monotonic", lambda: start + 3611)
    assert verdict(await resolver.event_key("e")) == (503, "auth_unavailable")


async def test_the_cache_has_an_end(
    resolver: CredentialResolver, directory: MemoryDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "MAX_ENTRIES", 10)
    for number in range(25):
        await resolver.event_key("b", env_name=f"branch-{number}")
        await resolver.event_key(f"unknown-{number}")
    assert len(resolver.cache._entries) <= 10
    assert len(resolver.cache._unknown) <= 10


async def test_a_flood_of_unknown_keys_is_cut_and_known_ones_come_first(
    resolver: CredentialResolver, directory: MemoryDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    await resolver.event_key("e")
    now = time.monotonic()
    monkeypatch.setattr(cache, "monotonic", lambda: now + 11)
    flood = [asyncio.ensure_future(resolver.event_key(f"unknown-{number}")) for number in range(100)]
    known = asyncio.ensure_future(resolver.event_key("e"))
    verdicts = [verdict(found) for found in await asyncio.gather(*flood)]
    assert verdicts.count((401, "auth_invalid")) == MAX_UNDER_WAY
    assert verdicts.count((503, "auth_unavailable")) == 100 - MAX_UNDER_WAY
    assert verdict(await known) == (200, "ek")


async def test_long_names_take_no_room(resolver: CredentialResolver, directory: MemoryDirectory) -> None:
    for number in range(3):
        await resolver.event_key("b", env_name="x" * 60_000 + str(number))
    assert {len(key[2]) for key in resolver.cache._entries} == {300}
    assert [len(place.name) for place in directory.places[3:]] == [300]


async def test_no_secret_is_in_memory(resolver: CredentialResolver, directory: MemoryDirectory) -> None:
    directory.event_keys["very-secret"] = EVENT_KEY
    await resolver.event_key("very-secret")
    await resolver.event_key("very-wrong")
    held = repr((resolver.cache._entries, resolver.cache._unknown, resolver._under_way))
    assert "very-secret" not in held
    assert "very-wrong" not in held


async def test_a_credential_covers_its_branches(
    directory: MemoryDirectory, resolver: CredentialResolver
) -> None:
    at_parent = await resolver.event_key("b")
    elsewhere = await resolver.event_key("e")
    assert isinstance(at_parent, Caller)
    assert isinstance(elsewhere, Caller)
    assert await resolver.covers(at_parent, CHILD.environment_id)
    assert not await resolver.covers(at_parent, PRODUCTION.environment_id)
    assert not await resolver.covers(at_parent, UUID(int=50))
    assert await resolver.covers(elsewhere, PRODUCTION.environment_id)
    assert not await resolver.covers(elsewhere, CHILD.environment_id)
    directory.places.append(replace(CHILD, environment_id=UUID(int=50)))
    assert await resolver.covers(at_parent, UUID(int=50))


async def test_whose_branch_an_environment_is_is_asked_once(
    directory: MemoryDirectory, resolver: CredentialResolver
) -> None:
    """Checkpoints ask for each step; a branch never changes its parent."""
    caller = await resolver.bearer("bs", use=uses.CHECKPOINT, permission=Permission.DATA_READ)
    assert isinstance(caller, Caller)
    for _ in range(2):
        assert await resolver.covers(caller, CHILD.environment_id)
        assert not await resolver.covers(caller, PRODUCTION.environment_id)
        assert await resolver.covers(caller, PARENT.environment_id)
    assert directory.asked_places == 2
    directory.is_away = True
    assert await resolver.covers(caller, CHILD.environment_id)
    with pytest.raises(DirectoryUnavailable):
        await resolver.covers(caller, UUID(int=99))
