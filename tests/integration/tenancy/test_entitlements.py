"""The limits of an organisation are changed on record."""

import pytest
from django.core.exceptions import ValidationError

from apps.audit.actors import SYSTEM
from apps.audit.models import AuditEntry
from apps.tenancy.entitlements import account_set_entitlements, entitlements_of
from apps.tenancy.models import Account

pytestmark = pytest.mark.usefixtures("default_database")


def _entries(account: Account) -> list[tuple[dict[str, object], dict[str, object]]]:
    found = AuditEntry.objects.filter(account_id=account.id, action="account.entitlements")
    return [(entry.before, entry.after) for entry in found.order_by("number")]


def test_each_change_of_the_limits_leaves_an_entry() -> None:
    account = Account.objects.create(name="Limits", slug="limits")
    account_set_entitlements(account=account, own={"api_keys": 3}, actor=SYSTEM)
    account_set_entitlements(account=account, own={"api_keys": 3}, actor=SYSTEM)
    account_set_entitlements(account=account, own={"users": None}, actor=SYSTEM)
    account.refresh_from_db()
    assert entitlements_of(account).api_keys == 100
    assert entitlements_of(account).users is None
    assert _entries(account) == [({}, {"api_keys": 3}), ({"api_keys": 3}, {"users": None})]


def test_what_is_no_limit_changes_nothing_and_leaves_no_entry() -> None:
    account = Account.objects.create(name="Limits", slug="limits")
    with pytest.raises(ValidationError):
        account_set_entitlements(account=account, own={"api_keys": -1}, actor=SYSTEM)
    account.refresh_from_db()
    assert account.entitlements == {}
    assert _entries(account) == []
