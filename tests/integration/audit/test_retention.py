"""Old entries go, in batches, and the rest of the log can still be proven; on both databases."""

from datetime import datetime, timedelta
from io import StringIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.audit import retention
from apps.audit.models import AuditEntry, AuditHead
from apps.audit.retention import audit_trim
from apps.audit.services import INSTALLATION_ID, SYSTEM, audit_record, audit_verify
from apps.tenancy.keeper import Keeper
from apps.tenancy.models import Account
from apps.tenancy.services.retention import audit_trim_due, kept_days
from tests.integration.audit.test_log import change, numbers

pytestmark = pytest.mark.usefixtures("default_database")


def record(account_id: UUID, monkeypatch: pytest.MonkeyPatch, days_ago: float, count: int = 1) -> None:
    """Entries as they were written that long ago."""
    at = timezone.now() - timedelta(days=days_ago)
    with monkeypatch.context() as then:
        then.setattr("apps.audit.services.timezone.now", lambda: at)
        for _ in range(count):
            audit_record(account_id=account_id, actor=SYSTEM, action="member.role")


def year_ago() -> datetime:
    return timezone.now() - timedelta(days=365)


def checkpoint(account_id: UUID) -> dict[str, Any]:
    found: dict[str, Any] = AuditEntry.objects.filter(account_id=account_id, action="audit.trim").last().after  # type: ignore[union-attr]
    return found


def test_old_entries_go_and_a_checkpoint_tells_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    account, other = uuid4(), uuid4()
    for chain in (account, other):
        record(chain, monkeypatch, 400, count=3)
        record(chain, monkeypatch, 300, count=2)
    last = AuditEntry.objects.get(account_id=account, number=3)
    assert audit_trim(account, before=year_ago()) == 3
    assert numbers(account) == [4, 5, 6]
    assert checkpoint(account) == {"removed": 3, "through": 3, "digest": last.hash}
    found = audit_verify(account)
    assert (found.count, found.is_intact, found.first_number) == (3, True, 4)
    assert numbers(other) == [1, 2, 3, 4, 5]


def test_batches_are_bounded_and_each_is_provable(monkeypatch: pytest.MonkeyPatch) -> None:
    account = uuid4()
    record(account, monkeypatch, 400, count=5)
    for removed, kept in ((2, [3, 4, 5, 6]), (2, [5, 6, 7]), (1, [6, 7, 8])):
        assert audit_trim(account, before=year_ago(), limit=2) == removed
        assert numbers(account) == kept
        assert audit_verify(account).is_intact
    assert audit_trim(account, before=year_ago(), limit=2) == 0
    assert numbers(account) == [6, 7, 8]


def test_the_whole_log_may_be_old(monkeypatch: pytest.MonkeyPatch) -> None:
    account = uuid4()
    record(account, monkeypatch, 400, count=2)
    assert audit_trim(account, before=year_ago()) == 2
    assert (numbers(account), audit_verify(account).is_intact) == ([3], True)
    record(account, monkeypatch, 0)
    assert (numbers(account), audit_verify(account).is_intact) == ([3, 4], True)


def test_a_log_of_checkpoints_does_not_go_on_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    account = uuid4()
    record(account, monkeypatch, 400)
    audit_trim(account, before=year_ago())
    later = timezone.now() + timedelta(days=1)
    assert audit_trim(account, before=later) == 0
    assert numbers(account) == [2]


def test_a_clock_that_was_behind_leaves_no_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    account = uuid4()
    for days_ago in (400, 300, 400):
        record(account, monkeypatch, days_ago)
    assert audit_trim(account, before=year_ago()) == 1
    assert (numbers(account), audit_verify(account).is_intact) == ([2, 3, 4], True)


def test_what_is_removed_beyond_the_checkpoint_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    account = uuid4()
    record(account, monkeypatch, 400, count=2)
    record(account, monkeypatch, 1, count=2)
    audit_trim(account, before=year_ago())
    change(AuditEntry.objects.get(account_id=account, number=3))
    found = audit_verify(account)
    assert (found.broken_at, found.reason) == (4, "the entries before it are missing")


def test_a_failure_removes_nothing_and_records_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    account = uuid4()
    record(account, monkeypatch, 400, count=2)

    def fail(account_id: UUID) -> None:
        raise RuntimeError("the process dies here")

    monkeypatch.setattr(retention, "_allow", fail)
    with pytest.raises(RuntimeError):
        audit_trim(account, before=year_ago())
    assert (numbers(account), audit_verify(account).is_intact) == ([1, 2], True)


@pytest.mark.parametrize("default_database", ["postgres"], indirect=True)
def test_postgresql_lets_only_those_go_that_a_checkpoint_tells_of(monkeypatch: pytest.MonkeyPatch) -> None:
    account, other = uuid4(), uuid4()
    for chain in (account, other):
        record(chain, monkeypatch, 400, count=2)
        record(chain, monkeypatch, 1)
    with pytest.raises(DatabaseError, match="never changed or deleted"):
        _delete(account, 1, named=account)
    audit_trim(account, before=year_ago())
    for number in (3, 4):
        with pytest.raises(DatabaseError, match="never changed or deleted"):
            _delete(account, number, named=account)
    with pytest.raises(DatabaseError, match="never changed or deleted"):
        _delete(other, 1, named=account)
    assert (numbers(account), numbers(other)) == ([3, 4], [1, 2, 3])


@transaction.atomic
def _delete(account_id: UUID, number: int, *, named: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('stepwell.audit_trim', %s, true)", [str(named)])
    rows = AuditEntry.objects.filter(account_id=account_id, number=number)
    rows._raw_delete(rows.db)


def test_each_organisation_is_kept_as_long_as_its_entitlement_says(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    ordinary = Account.objects.create(name="Ordinary", slug="ordinary")
    longer = Account.objects.create(name="Longer", slug="longer", entitlements={"audit_days": 1_000})
    for_ever = Account.objects.create(name="For ever", slug="for-ever", entitlements={"audit_days": None})
    hasty = Account.objects.create(name="Hasty", slug="hasty", entitlements={"audit_days": 0})
    for account in (ordinary, longer, for_ever, hasty):
        for days_ago in (2_000, 500, 200, 20):
            record(account.id, monkeypatch, days_ago)
    record(INSTALLATION_ID, monkeypatch, 500)
    assert audit_trim_due() == 2 + 1 + 0 + 3 + 1
    assert numbers(ordinary.id) == [3, 4, 5]
    assert numbers(longer.id) == [2, 3, 4, 5]
    assert numbers(for_ever.id) == [1, 2, 3, 4]
    assert numbers(hasty.id) == [4, 5]
    assert all(audit_verify(head.account_id).is_intact for head in AuditHead.objects.all())
    settings.STEPWELL_ENTITLEMENTS = {"audit_days": 100}
    assert (kept_days(ordinary), kept_days(None), kept_days(longer), kept_days(for_ever)) == (
        *(100, 100, 1_000, None),
    )


def test_the_keeper_does_it_at_its_start_and_then_each_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    account = uuid4()
    record(account, monkeypatch, 400, count=2)
    keeper = Keeper()
    keeper.round()
    assert numbers(account) == [3]
    record(account, monkeypatch, 400)
    keeper.round()
    assert numbers(account) == [3, 4]


def verified(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("audit_verify", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_the_command_proves_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    account, other = uuid4(), uuid4()
    record(account, monkeypatch, 400)
    record(account, monkeypatch, 1)
    record(other, monkeypatch, 1)
    audit_trim(account, before=year_ago())
    assert f"{account}: 2 entries, from number 2, intact" in verified()
    assert verified("--account", str(other)) == [f"{other}: 1 entries, intact"]
    change(AuditEntry.objects.get(account_id=other), action="member.remove")
    with pytest.raises(CommandError, match="1 audit logs are not as they were written"):
        verified()
