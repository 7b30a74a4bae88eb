"""Making, changing and deleting organisations, until they are gone."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.audit.models import AuditEntry
from apps.identity.models import User
from apps.tenancy.exceptions import (
    AccountDeleting,
    AccountSuspended,
    DefaultAccount,
    InvalidDays,
    InvalidEmail,
    InvalidName,
    InvalidSessionLimit,
    NameMismatch,
    NotDeleting,
)
from apps.tenancy.models import DEV_ACCOUNT_ID, Account, AccountStatus, Environment, Role
from apps.tenancy.services import accounts
from tests.integration.tenancy.cast import Cast, as_actor, person


def test_a_new_organisation_has_an_owner_and_two_environments(cast: Cast) -> None:
    assert (cast.acme.name, cast.acme.slug, cast.acme.status) == ("Acme", "acme", AccountStatus.ACTIVE)
    members = cast.acme.memberships.filter(user=cast.alice)
    assert list(members.values_list("role", "is_restricted")) == [(Role.OWNER, False)]
    columns = ("type", "slug", "name", "name_norm", "weight")
    assert list(cast.acme.environments.order_by("slug").values_list(*columns)) == [
        ("branch_parent", "branch", "Branch environments", "branch environments", 1),
        ("production", "production", "Production", "production", 4),
    ]


def test_its_creation_begins_its_log(cast: Cast) -> None:
    entry = AuditEntry.objects.get(account_id=cast.acme.id, number=1)
    assert (entry.action, entry.actor_label, entry.target_label) == (
        *("account.create", "alice@example.com", "Acme"),
    )
    assert (entry.before, entry.after) == ({}, {"name": "Acme", "slug": "acme"})
    assert (entry.ip, entry.user_agent, entry.request_id) == ("192.0.2.7", "tests", "r1")


def test_the_second_of_a_name_has_the_block_of_its_id_in_the_slug(cast: Cast) -> None:
    again = accounts.account_create(name=" ACME ", owner=cast.mallory, actor=as_actor(cast.mallory))
    assert (again.name, again.slug) == ("ACME", f"acme-{again.id.hex[:8]}")


def test_an_organisation_without_a_name_is_not_made(cast: Cast) -> None:
    before = Account.objects.count()
    with pytest.raises(InvalidName):
        accounts.account_create(name="\n", owner=cast.alice, actor=as_actor(cast.alice))
    with pytest.raises(InvalidName):
        accounts.account_create(name="x" * 101, owner=cast.alice, actor=as_actor(cast.alice))
    assert Account.objects.count() == before


def test_renaming_keeps_the_slug(cast: Cast) -> None:
    renamed = accounts.account_rename(account=cast.acme, name=" Acme Ltd ", actor=as_actor(cast.alice))
    assert (renamed.name, renamed.slug) == ("Acme Ltd", "acme")
    entry = cast.last_entry()
    assert (entry.action, entry.before, entry.after) == (
        *("account.rename", {"name": "Acme"}, {"name": "Acme Ltd"}),
    )


def test_the_same_again_is_no_change(cast: Cast) -> None:
    accounts.account_rename(account=cast.acme, name="Acme", actor=as_actor(cast.alice))
    assert cast.trail() == []


def test_the_address_for_security(cast: Cast) -> None:
    actor = as_actor(cast.alice)
    changed = accounts.account_set_security_email(account=cast.acme, email=" Sec@ACME.test ", actor=actor)
    assert changed.security_email == "sec@acme.test"
    with pytest.raises(InvalidEmail):
        accounts.account_set_security_email(account=cast.acme, email="nobody", actor=actor)
    assert Account.objects.get(id=cast.acme.id).security_email == "sec@acme.test"
    assert accounts.account_set_security_email(account=cast.acme, email="", actor=actor).security_email == ""
    assert cast.trail() == ["account.security_email", "account.security_email"]


@pytest.mark.parametrize("days", [0, 91])
def test_days_of_a_branch_out_of_bounds(cast: Cast, days: int) -> None:
    with pytest.raises(InvalidDays):
        accounts.account_set_branch_archive_days(account=cast.acme, days=days, actor=as_actor(cast.alice))
    assert Account.objects.get(id=cast.acme.id).branch_archive_days == 3


def test_days_of_a_branch(cast: Cast) -> None:
    changed = accounts.account_set_branch_archive_days(account=cast.acme, days=90, actor=as_actor(cast.alice))
    assert changed.branch_archive_days == 90
    assert (cast.last_entry().before, cast.last_entry().after) == (
        *({"branch_archive_days": 3}, {"branch_archive_days": 90}),
    )


def test_switches(cast: Cast) -> None:
    actor = as_actor(cast.alice)
    assert accounts.account_set_two_factor(
        account=cast.acme, is_required=True, actor=actor
    ).requires_two_factor
    changed = accounts.account_set_support_access(account=cast.acme, is_allowed=False, actor=actor)
    assert not changed.allows_support_access
    assert cast.trail() == ["account.two_factor", "account.support_access"]


def test_deleting_needs_the_exact_name(cast: Cast) -> None:
    with pytest.raises(NameMismatch):
        accounts.account_delete_request(account=cast.acme, typed_name="acme", actor=as_actor(cast.alice))
    assert Account.objects.get(id=cast.acme.id).status == AccountStatus.ACTIVE
    assert cast.trail() == []


def test_deleting_takes_seven_days_and_is_read_only_meanwhile(cast: Cast) -> None:
    actor = as_actor(cast.alice)
    started = timezone.now()
    gone = accounts.account_delete_request(account=cast.acme, typed_name=" Acme ", actor=actor)
    assert gone.delete_at is not None
    assert timedelta(0) <= gone.delete_at - started - timedelta(days=7) < timedelta(minutes=1)
    again = accounts.account_delete_request(account=cast.acme, typed_name="Acme", actor=actor)
    assert again.delete_at == gone.delete_at
    with pytest.raises(AccountDeleting):
        accounts.account_rename(account=cast.acme, name="New", actor=actor)
    assert cast.trail() == ["account.delete_request"]


def test_deleting_can_be_undone(cast: Cast) -> None:
    actor = as_actor(cast.alice)
    accounts.account_delete_request(account=cast.acme, typed_name="Acme", actor=actor)
    back = accounts.account_delete_undo(account=cast.acme, actor=actor)
    assert (back.status, back.delete_at) == (AccountStatus.ACTIVE, None)
    with pytest.raises(NotDeleting):
        accounts.account_delete_undo(account=cast.acme, actor=actor)
    assert cast.trail() == ["account.delete_request", "account.delete_undo"]


@pytest.mark.django_db
def test_the_servers_own_organisation_stays() -> None:
    own = Account.objects.get(id=DEV_ACCOUNT_ID)
    with pytest.raises(DefaultAccount):
        accounts.account_delete_request(account=own, typed_name=own.name, actor=as_actor(person("op")))


def test_suspension_is_the_operators_and_stronger_than_deleting(cast: Cast) -> None:
    actor = as_actor(cast.alice)
    accounts.account_suspend(account=cast.acme, actor=actor)
    accounts.account_suspend(account=cast.acme, actor=actor)
    with pytest.raises(AccountSuspended):
        accounts.account_delete_request(account=cast.acme, typed_name="Acme", actor=actor)
    assert accounts.account_unsuspend(account=cast.acme, actor=actor).status == AccountStatus.ACTIVE
    accounts.account_unsuspend(account=cast.acme, actor=actor)
    assert cast.trail() == ["account.suspend", "account.unsuspend"]


def test_nothing_is_purged_before_its_time(cast: Cast) -> None:
    with pytest.raises(NotDeleting):
        accounts.account_purge(account=cast.acme)
    accounts.account_delete_request(account=cast.acme, typed_name="Acme", actor=as_actor(cast.alice))
    with pytest.raises(NotDeleting):
        accounts.account_purge(account=cast.acme)
    assert Environment.objects.filter(account=cast.acme).count() == 2
    assert User.objects.filter(email="alice@example.com").exists()


def test_two_limits_of_sessions_that_are_set_at_once_both_hold(cast: Cast) -> None:
    """Neither person has seen the other's."""
    one, other = Account.objects.get(id=cast.acme.id), Account.objects.get(id=cast.acme.id)
    accounts.account_set_session_hours(account=one, hours=8, actor=as_actor(cast.alice))
    accounts.account_set_idle_minutes(account=other, minutes=30, actor=as_actor(cast.alice))
    cast.acme.refresh_from_db()
    assert (cast.acme.session_hours, cast.acme.session_idle_minutes) == (8, 30)
    for hours, minutes in ((0, 4), (8761, 10_081)):
        with pytest.raises(InvalidSessionLimit):
            accounts.account_set_session_hours(account=one, hours=hours, actor=as_actor(cast.alice))
        with pytest.raises(InvalidSessionLimit):
            accounts.account_set_idle_minutes(account=one, minutes=minutes, actor=as_actor(cast.alice))
