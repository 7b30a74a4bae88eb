"""Reading and exporting the audit log."""

import csv
import json
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from apps.audit.exceptions import InvalidCursor
from apps.audit.export import audit_export
from apps.audit.models import ActorKind, AuditEntry
from apps.audit.selectors import (
    AuditFilter,
    audit_entry,
    audit_page,
    audit_stream,
    last_change,
)
from apps.audit.services import SYSTEM, Actor, audit_record

pytestmark = pytest.mark.django_db

ALICE = Actor(ActorKind.USER, "a1", "alice@example.com")
KEY = Actor(ActorKind.API_KEY, "k1", "CI key")


@pytest.fixture
def account() -> UUID:
    """Five entries; another account has one."""
    account, environment = uuid4(), uuid4()
    audit_record(account_id=account, actor=ALICE, action="environment.create", environment_id=environment)
    audit_record(
        account_id=account,
        actor=ALICE,
        action="member.role",
        target_type="member",
        target_id="m1",
        target_label="Bob",
        before={"role": "viewer"},
        after={"role": "admin"},
    )
    audit_record(account_id=account, actor=KEY, action="key.event.create", environment_id=environment)
    audit_record(account_id=account, actor=KEY, action="key.event.reveal", is_success=False)
    audit_record(
        account_id=account, actor=SYSTEM, action="member.remove", target_type="member", target_id="m1"
    )
    audit_record(account_id=uuid4(), actor=ALICE, action="member.role")
    return account


def found(account: UUID, wanted: AuditFilter) -> list[int]:
    return [entry.number for entry in audit_page(account, wanted).entries]


def test_pages_are_newest_first_and_end(account: UUID) -> None:
    pages: list[list[int]] = []
    cursor = ""
    while True:
        page = audit_page(account, cursor=cursor, limit=2)
        pages.append([entry.number for entry in page.entries])
        cursor = page.next_cursor
        if not cursor:
            break
    assert pages == [[5, 4], [3, 2], [1]]
    assert audit_page(account, limit=5).next_cursor == ""


def test_what_comes_meanwhile_moves_no_page(account: UUID) -> None:
    first = audit_page(account, limit=2)
    audit_record(account_id=account, actor=ALICE, action="member.role")
    second = audit_page(account, cursor=first.next_cursor, limit=2)
    assert [entry.number for entry in second.entries] == [3, 2]


@pytest.mark.parametrize("cursor", ["x", "-1", "1.5", "9" * 30, "٣"])
def test_a_bad_cursor(account: UUID, cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        audit_page(account, cursor=cursor)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (AuditFilter(), [5, 4, 3, 2, 1]),
        (AuditFilter(actor_kind=ActorKind.API_KEY), [4, 3]),
        (AuditFilter(actor_id="a1"), [2, 1]),
        (AuditFilter(family="member"), [5, 2]),
        (AuditFilter(family="key"), [4, 3]),
        (AuditFilter(family="key.event"), [4, 3]),
        (AuditFilter(family="mem"), []),
        (AuditFilter(action="member.role"), [2]),
        (AuditFilter(target_type="member", target_id="m1"), [5, 2]),
        (AuditFilter(is_success=False), [4]),
        (AuditFilter(text="bob"), [2]),
        (AuditFilter(text="ALICE"), [2, 1]),
        (AuditFilter(text="Reveal"), [4]),
        (AuditFilter(text="100%"), []),
        (AuditFilter(actor_id="a1", family="member"), [2]),
        (AuditFilter(environment_ids=[]), []),
    ],
    ids=repr,
)
def test_filters(account: UUID, wanted: AuditFilter, expected: list[int]) -> None:
    assert found(account, wanted) == expected


def test_filters_by_time_and_environment(account: UUID) -> None:
    entries = list(AuditEntry.objects.filter(account_id=account).order_by("number"))
    moment = entries[2].at
    assert found(account, AuditFilter(since=moment)) == [5, 4, 3]
    assert found(account, AuditFilter(until=moment)) == [2, 1]
    assert found(account, AuditFilter(since=moment, until=moment + timedelta(microseconds=1))) == [3]
    environment = entries[0].environment_id
    assert environment is not None
    assert found(account, AuditFilter(environment_ids=[environment])) == [3, 1]


def test_another_accounts_entries_are_out_of_reach(account: UUID) -> None:
    foreign = AuditEntry.objects.exclude(account_id=account).get()
    assert audit_entry(account, foreign.id) is None
    assert audit_entry(foreign.account_id, foreign.id) == foreign
    assert [entry.number for entry in audit_stream(uuid4())] == []


def test_who_changed_a_thing_last(account: UUID) -> None:
    last = last_change(account, "member", "m1")
    assert last is not None
    assert (last.number, last.actor_label) == (5, "Stepwell")
    assert last_change(account, "member", "m2") is None


def lines(account: UUID, format_name: str, wanted: AuditFilter | None = None) -> Iterator[str]:
    return audit_export(account_id=account, format_name=format_name, actor=ALICE, wanted=wanted)


def test_an_export_as_json_lines_tells_all(account: UUID) -> None:
    rows = [json.loads(line) for line in lines(account, "jsonl")]
    assert [row["number"] for row in rows] == [1, 2, 3, 4, 5, 6]
    entry = AuditEntry.objects.get(account_id=account, number=2)
    assert rows[1] == {
        "number": 2,
        "at": entry.at.isoformat(timespec="microseconds"),
        "id": str(entry.id),
        "account_id": str(account),
        "environment_id": None,
        "actor_kind": "user",
        "actor_id": "a1",
        "actor_label": "alice@example.com",
        "ip": None,
        "user_agent": "",
        "action": "member.role",
        "target_type": "member",
        "target_id": "m1",
        "target_label": "Bob",
        "before": {"role": "viewer"},
        "after": {"role": "admin"},
        "request_id": "",
        "is_success": True,
        "previous_hash": entry.previous_hash,
        "hash": entry.hash,
    }


def test_an_export_is_recorded_and_filtered(account: UUID) -> None:
    rows = list(csv.DictReader(lines(account, "csv", AuditFilter(family="member"))))
    assert [row["number"] for row in rows] == ["2", "5"]
    assert (rows[0]["after"], rows[0]["is_success"], rows[0]["ip"]) == ('{"role": "admin"}', "True", "")
    last = AuditEntry.objects.filter(account_id=account).order_by("-number")[0]
    assert (last.action, last.after) == ("audit.export", {"format": "csv"})


def test_an_export_is_no_formula(account: UUID) -> None:
    evil = Actor(ActorKind.USER, "e", "=HYPERLINK(1)", user_agent="@SUM(1)")
    audit_record(account_id=account, actor=evil, action="member.role", target_label='-1,"x"\r\n')
    [row] = csv.DictReader(lines(account, "csv", AuditFilter(actor_id="e")))
    assert (row["actor_label"], row["user_agent"]) == ("'=HYPERLINK(1)", "'@SUM(1)")
    assert row["target_label"] == '\'-1,"x"\r\n'


def test_an_unknown_format_is_not_recorded(account: UUID) -> None:
    with pytest.raises(KeyError):
        lines(account, "xml")
    assert AuditEntry.objects.filter(account_id=account).count() == 5
