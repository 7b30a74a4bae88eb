"""The audit log: chained, added to only, without secrets; on both databases."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest
from django.test import RequestFactory
from django.utils import timezone

from apps.audit.exceptions import AppendOnly, SecretInEntry
from apps.audit.http import actor_of
from apps.audit.models import ActorKind, AuditEntry, AuditHead
from apps.audit.services import SYSTEM, Actor, audit_forget, audit_record, audit_verify
from apps.identity.models import User
from tests.integration.databases import in_threads

pytestmark = pytest.mark.usefixtures("default_database")

ALICE = Actor(
    ActorKind.USER, "a1", "alice@example.com", ip="2001:DB8::1", user_agent="x" * 300, request_id="r1"
)


def record(account_id: UUID, action: str = "member.role", **values: Any) -> AuditEntry:
    return audit_record(account_id=account_id, actor=ALICE, action=action, **values)


def numbers(account_id: UUID) -> list[int]:
    entries = AuditEntry.objects.filter(account_id=account_id).order_by("number")
    return list(entries.values_list("number", flat=True))


def change(entry: AuditEntry, **values: Any) -> None:
    """As somebody with the database at hand would."""
    sets = ", ".join(f"{name} = %s" for name in values)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE audit_auditentry DISABLE TRIGGER USER")
        where = "WHERE account_id = %s AND number = %s"
        key = entry.account_id.hex if connection.vendor == "sqlite" else str(entry.account_id)
        if values:
            cursor.execute(
                f"UPDATE audit_auditentry SET {sets} {where}", [*values.values(), key, entry.number]
            )
        else:
            cursor.execute(f"DELETE FROM audit_auditentry {where}", [key, entry.number])
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE audit_auditentry ENABLE TRIGGER USER")


def test_an_entry_tells_who_what_where_from_and_what_differs() -> None:
    account, environment = uuid4(), uuid4()
    before = timezone.now()
    made = record(
        account,
        "environment.rename",
        target_type="environment",
        target_id=environment,
        target_label="Staging\x00",
        environment_id=environment,
        before={"name": "QA"},
        after={"name": "Staging"},
    )
    entry = AuditEntry.objects.get(id=made.id)
    assert (entry.number, entry.previous_hash, len(entry.hash)) == (1, "", 64)
    assert (entry.actor_kind, entry.actor_id, entry.actor_label) == ("user", "a1", "alice@example.com")
    assert (entry.ip, entry.user_agent, entry.request_id) == ("2001:db8::1", "x" * 256, "r1")
    assert (entry.action, entry.family, entry.is_success) == ("environment.rename", "environment", True)
    assert (entry.target_type, entry.target_id, entry.target_label) == (
        *("environment", str(environment), "Staging"),
    )
    assert (entry.environment_id, entry.before, entry.after) == (
        *(environment, {"name": "QA"}, {"name": "Staging"}),
    )
    assert before <= entry.at <= timezone.now()


def test_each_account_has_a_chain_of_its_own() -> None:
    one, other = uuid4(), uuid4()
    first, second, foreign = record(one), record(one), record(other)
    assert (second.number, second.previous_hash) == (2, first.hash)
    assert (foreign.number, foreign.previous_hash) == (1, "")
    assert (audit_verify(one).count, audit_verify(one).is_intact) == (2, True)
    assert (audit_verify(uuid4()).count, audit_verify(uuid4()).is_intact) == (0, True)


@transaction.atomic
def _record_and_fail(account_id: UUID) -> None:
    record(account_id)
    raise RuntimeError("no")


def test_what_is_rolled_back_leaves_no_gap() -> None:
    account = uuid4()
    record(account)
    with pytest.raises(RuntimeError, match="no"):
        _record_and_fail(account)
    record(account)
    assert numbers(account) == [1, 2]
    assert audit_verify(account).is_intact


def test_entries_at_once_are_one_chain() -> None:
    account = uuid4()
    found = in_threads([lambda: [record(account) for _ in range(5)]] * 4)
    assert [type(result) for result in found] == [list] * 4
    assert numbers(account) == list(range(1, 21))
    assert (audit_verify(account).count, audit_verify(account).is_intact) == (20, True)


@pytest.mark.parametrize(
    "values",
    [
        {"actor_label": "eve@example.com"},
        {"action": "member.remove"},
        {"after": '{"role": "viewer"}'},
        {"is_success": False},
        {"ip": "192.0.2.9"},
    ],
    ids=lambda values: next(iter(values)),
)
def test_a_changed_entry_is_found(values: dict[str, Any]) -> None:
    account = uuid4()
    entries = [record(account, after={"role": "admin"}) for _ in range(3)]
    change(entries[1], **values)
    found = audit_verify(account)
    assert (found.count, found.broken_at, found.reason) == (1, 2, "its content has changed")


def test_an_entry_that_was_hashed_again_is_found() -> None:
    account = uuid4()
    entries = [record(account) for _ in range(3)]
    change(entries[1], hash="0" * 64)
    assert audit_verify(account).broken_at == 2
    change(entries[1], hash=entries[1].hash, previous_hash="0" * 64)
    assert audit_verify(account).reason == "it does not follow the entry before it"


def test_a_missing_entry_is_found() -> None:
    account = uuid4()
    entries = [record(account) for _ in range(3)]
    change(entries[1])
    found = audit_verify(account)
    assert (found.broken_at, found.reason) == (3, "the entry before it is missing")


def test_a_missing_end_is_found() -> None:
    account = uuid4()
    entries = [record(account) for _ in range(3)]
    change(entries[2])
    found = audit_verify(account)
    assert (found.count, found.broken_at, found.reason) == (2, 3, "the entry is missing")
    AuditHead.objects.filter(account_id=account).update(number=2)
    assert audit_verify(account).reason == "the chain ends at another entry"


def test_a_missing_start_is_found() -> None:
    account = uuid4()
    entries = [record(account) for _ in range(3)]
    change(entries[0])
    found = audit_verify(account)
    assert (found.broken_at, found.reason) == (2, "the entries before it are missing")


def test_entries_are_neither_changed_nor_deleted() -> None:
    account = uuid4()
    entry = record(account)
    entry.action = "member.remove"
    with pytest.raises(AppendOnly):
        entry.save()
    with pytest.raises(AppendOnly):
        entry.delete()
    entries = AuditEntry.objects.filter(account_id=account)
    with pytest.raises(AppendOnly):
        entries.update(action="member.remove")
    with pytest.raises(AppendOnly):
        entries.delete()
    with pytest.raises(AppendOnly):
        AuditEntry.objects.bulk_update([entry], ["action"])
    assert [found.action for found in entries] == ["member.role"]


@transaction.atomic
def _execute(statement: str, purged: UUID | None) -> None:
    with connection.cursor() as cursor:
        if purged is not None:
            cursor.execute("SELECT set_config('stepwell.audit_purge', %s, true)", [str(purged)])
        cursor.execute(statement)


@pytest.mark.parametrize("default_database", ["postgres"], indirect=True)
def test_postgresql_itself_refuses_changes(default_database: str) -> None:
    account, other = uuid4(), uuid4()
    for chain in (account, other):
        record(chain)
    for statement in ("UPDATE audit_auditentry SET action = 'x'", "DELETE FROM audit_auditentry"):
        for purged in (None, account):
            with pytest.raises(DatabaseError, match="never changed or deleted"):
                _execute(statement, purged)
    assert audit_verify(account).is_intact


def test_a_purge_takes_one_log_only() -> None:
    account, other = uuid4(), uuid4()
    last = [record(account), record(account)][-1]
    record(other)
    assert audit_forget(account) == {"entries": 2, "digest": last.hash}
    assert (numbers(account), numbers(other)) == ([], [1])
    assert not AuditHead.objects.filter(account_id=account).exists()
    if connection.vendor == "postgresql":
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
            AuditEntry.objects.filter(account_id=other)._raw_delete("default")


def test_a_secret_is_refused_and_nothing_recorded() -> None:
    account = uuid4()
    with pytest.raises(SecretInEntry):
        record(account, after={"token": "t"})
    assert numbers(account) == []


def request_of(user: User | None, **headers: str) -> HttpRequest:
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.3", headers=headers)
    if user is not None:
        request.user = user
    return request


def test_who_is_behind_a_request() -> None:
    alice = User.objects.create_user("alice@example.com")
    headers = {"User-Agent": "curl", "X-Request-Id": "req-1", "X-Forwarded-For": "203.0.113.1"}
    assert actor_of(request_of(alice, **headers)) == Actor(
        ActorKind.USER, str(alice.id), "alice@example.com", "192.0.2.3", "curl", "req-1"
    )
    assert actor_of(request_of(None, **{"X-Request-Id": "a\nb"})) == Actor(
        SYSTEM.kind, "", "Stepwell", "192.0.2.3", "", ""
    )


def test_verifying_takes_memory_for_a_part_only() -> None:
    account = uuid4()
    with transaction.atomic():
        for _ in range(501):
            record(account)
    assert (audit_verify(account).count, audit_verify(account).is_intact) == (501, True)


def test_time_goes_forward_within_a_chain() -> None:
    account = uuid4()
    first, second = record(account), record(account)
    assert timedelta(0) <= second.at - first.at < timedelta(minutes=1)
