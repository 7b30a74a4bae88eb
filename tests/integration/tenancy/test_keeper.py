"""The scheduler's part in tenancy (apps/tenancy/keeper.py)."""

import asyncio
from datetime import timedelta
from types import SimpleNamespace

import pytest
import redis
from django.utils import timezone

from apps.tenancy import keeper
from apps.tenancy.keeper import Keeper
from apps.tenancy.models import Account, Environment
from apps.tenancy.services.accounts import account_delete_request
from apps.tenancy.services.environments import branch_resolve
from tests.integration.tenancy.cast import Cast, as_actor


def overdue(cast: Cast) -> Environment:
    """A branch of Acme's whose time has come."""
    parent = cast.environment("branch")
    branch = branch_resolve(parent=parent, name="feature", may_create=True, unarchives=False)
    Environment.objects.filter(id=branch.id).update(auto_archive_at=timezone.now())
    return branch


def is_archived(environment: Environment) -> bool:
    return Environment.objects.get(id=environment.id).is_archived


def test_a_round_archives_and_purges(racing_cast: Cast) -> None:
    branch = overdue(racing_cast)
    account_delete_request(
        account=racing_cast.other, typed_name="Mallory's", actor=as_actor(racing_cast.mallory)
    )
    Account.objects.filter(id=racing_cast.other.id).update(delete_at=timezone.now() - timedelta(seconds=1))
    Keeper().round()
    assert is_archived(branch)
    assert list(Account.objects.values_list("name", flat=True)) == ["Acme"]


def test_what_fails_is_told_and_stops_nothing_else(
    racing_cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def purge_due() -> int:
        raise RuntimeError("the queue is away")

    monkeypatch.setattr(keeper, "purge_due", purge_due)
    branch = overdue(racing_cast)
    Keeper().round()
    assert is_archived(branch)
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [
        "purge_due failed, it is tried again in 60 s"
    ]


def test_the_queue_is_told_again_by_and_by(
    racing_cast: Cast, queue: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "SHARES_SECONDS", 0.0)
    node = f"{{q:0}}:n:e:{racing_cast.environment('production').id}"
    queue.delete(node)
    Keeper().round()
    assert queue.hget(node, "w") == "4"


async def test_it_stops_when_it_is_told(racing_cast: Cast) -> None:
    stop = asyncio.Event()
    running = asyncio.ensure_future(Keeper().run(stop))
    stop.set()
    await asyncio.wait_for(running, 10)


def test_old_entries_are_looked_for_once_an_hour(racing_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    now, looked = 0.0, []
    monkeypatch.setattr(keeper, "time", SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(keeper, "audit_trim_due", lambda: looked.append(now))
    made = Keeper()
    for _ in range(62):
        made.round()
        now += keeper.ROUND_SECONDS
    assert looked == [0.0, 3600.0]
