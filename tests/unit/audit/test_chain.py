"""What an entry's hash covers, and the values that it can be taken over."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest

from apps.audit.chain import canonical_ip, entry_hash, plain_values
from apps.audit.models import AuditEntry

AT = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)


def entry(**changed: Any) -> AuditEntry:
    values: dict[str, Any] = {
        "id": UUID(int=1),
        "account_id": UUID(int=2),
        "number": 3,
        "at": AT,
        "actor_kind": "user",
        "actor_id": "u",
        "actor_label": "alice@example.com",
        "ip": "192.0.2.1",
        "user_agent": "curl",
        "action": "member.role",
        "target_type": "member",
        "target_id": "m",
        "target_label": "bob@example.com",
        "before": {"role": "viewer"},
        "after": {"role": "admin"},
        "request_id": "r",
        "is_success": True,
        "previous_hash": "0" * 64,
    }
    return AuditEntry(**(values | changed))


CHANGES: list[tuple[str, Any]] = [
    ("id", UUID(int=9)),
    ("account_id", UUID(int=9)),
    ("number", 4),
    ("environment_id", UUID(int=9)),
    ("at", AT + timedelta(microseconds=1)),
    ("actor_kind", "system"),
    ("actor_id", "v"),
    ("actor_label", "eve@example.com"),
    ("ip", "192.0.2.2"),
    ("user_agent", "wget"),
    ("action", "member.remove"),
    ("target_type", "user"),
    ("target_id", "n"),
    ("target_label", "carol@example.com"),
    ("before", {"role": "owner"}),
    ("after", {}),
    ("request_id", "s"),
    ("is_success", False),
    ("previous_hash", "1" * 64),
]


@pytest.mark.parametrize(("name", "value"), CHANGES)
def test_every_field_counts(name: str, value: object) -> None:
    assert entry_hash(entry(**{name: value})) != entry_hash(entry())


def test_every_field_of_the_model_is_covered() -> None:
    covered = {name for name, _ in CHANGES}
    assert covered | {"hash"} == {field.attname for field in AuditEntry._meta.concrete_fields}


def test_what_databases_spell_differently_counts_alike() -> None:
    east = AT.astimezone(timezone(timedelta(hours=5)))
    ordered = {"a": 1, "b": [True, None, "ü"]}
    other = dict(reversed(ordered.items()))
    assert entry_hash(entry(at=east, after=other)) == entry_hash(entry(after=ordered))
    assert entry_hash(entry(ip="::ffff:192.0.2.1")) == entry_hash(entry())


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("2001:DB8:0::1", "2001:db8::1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.1"),
        ("unix", None),
        ("", None),
        (None, None),
    ],
)
def test_one_spelling_for_an_address(text: str | None, address: str | None) -> None:
    assert canonical_ip(text) == address


def test_values_become_plain_json() -> None:
    values = {"id": UUID(int=1), "at": AT, "list": (1, "a\x00b"), "deep": {"on": True, "none": None}}
    assert plain_values(values) == {
        "id": "00000000-0000-0000-0000-000000000001",
        "at": "2026-01-02T03:04:05.000+00:00",
        "list": [1, "ab"],
        "deep": {"on": True, "none": None},
    }


@pytest.mark.parametrize("value", [1.5, b"x", {1}, object()], ids=["fraction", "bytes", "set", "object"])
def test_other_values_are_refused(value: object) -> None:
    with pytest.raises(TypeError, match="cannot hold a"):
        plain_values({"x": value})
