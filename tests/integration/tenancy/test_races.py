"""The same thing at once, on SQLite and on PostgreSQL: one wins, and the rules hold."""

from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest

from apps.audit.services import audit_verify
from apps.tenancy.exceptions import BranchLimit, InvitationNotPending, LastOwner
from apps.tenancy.models import Account, Environment, Membership, Role
from apps.tenancy.services import invitations
from apps.tenancy.services.accounts import account_create
from apps.tenancy.services.environments import branch_resolve, environment_archive
from apps.tenancy.services.invitations import invitation_accept, invitation_create
from apps.tenancy.services.memberships import membership_change_role, membership_leave
from tests.integration.databases import in_threads
from tests.integration.tenancy.cast import Cast, as_actor, person


def kinds(results: list[object]) -> Counter[str]:
    return Counter(type(result).__name__ for result in results)


def resolve(cast: Cast, name: str) -> Callable[[], Environment]:
    parent = cast.environment("branch")
    return lambda: branch_resolve(parent=parent, name=name, may_create=True, unarchives=True)


def test_a_branch_is_made_once(racing_cast: Cast) -> None:
    found = in_threads(
        [resolve(racing_cast, name) for name in ("Feature", "feature", " FEATURE ", "feature")]
    )
    assert kinds([*found]) == {"Environment": 4}
    assert len({branch.id for branch in found if isinstance(branch, Environment)}) == 1
    assert racing_cast.trail() == ["environment.create"]


def test_branches_of_one_slug_are_all_made(racing_cast: Cast) -> None:
    found = in_threads([resolve(racing_cast, name) for name in ("a/b", "a-b", "a.b", "a b")])
    assert kinds([*found]) == {"Environment": 4}
    assert len(set(racing_cast.acme.environments.values_list("slug", flat=True))) == 6


def test_a_limit_holds(racing_cast: Cast) -> None:
    racing_cast.acme.entitlements = {"branch_environments": 2}
    racing_cast.acme.save()
    found = in_threads([resolve(racing_cast, name) for name in ("a", "b", "c", "d")])
    assert kinds([*found]) == {"Environment": 2, BranchLimit.__name__: 2}


def test_a_limit_holds_for_those_that_come_back(racing_cast: Cast) -> None:
    actor = as_actor(racing_cast.alice)
    rested = [resolve(racing_cast, name)() for name in ("a", "b")]
    for branch in rested:
        environment_archive(environment=branch, actor=actor)
    racing_cast.acme.entitlements = {"branch_environments": 1}
    racing_cast.acme.save()
    found = in_threads([resolve(racing_cast, name) for name in ("a", "b", "c")])
    assert kinds([*found]) == {"Environment": 1, BranchLimit.__name__: 2}


def test_one_of_two_joins_by_an_invitation(racing_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invitations, "owns_address", lambda user, email: True)
    _, token = invitation_create(
        access=racing_cast.access(racing_cast.alice),
        email="nina@example.com",
        role=Role.DEVELOPER,
        actor=as_actor(racing_cast.alice),
    )
    people = [person("nina"), person("nils")]
    found = in_threads([partial(invitation_accept, token=token, user=user) for user in people])
    assert kinds([*found]) == {"Membership": 1, InvitationNotPending.__name__: 1}
    assert racing_cast.acme.memberships.count() == 4
    assert racing_cast.trail() == ["invitation.create", "invitation.accept"]


def test_the_same_person_twice_is_one_member(racing_cast: Cast) -> None:
    _, token = invitation_create(
        access=racing_cast.access(racing_cast.alice),
        email="nina@example.com",
        role=Role.DEVELOPER,
        actor=as_actor(racing_cast.alice),
    )
    nina = person("nina")
    found = in_threads([lambda: invitation_accept(token=token, user=nina)] * 3)
    assert kinds([*found]) == {"Membership": 3}
    assert Membership.objects.filter(user=nina).count() == 1
    assert racing_cast.trail() == ["invitation.create", "invitation.accept"]


def test_one_owner_stays(racing_cast: Cast) -> None:
    membership_change_role(
        access=racing_cast.access(racing_cast.alice),
        membership_id=racing_cast.membership(racing_cast.adam).id,
        role=Role.OWNER,
        actor=as_actor(racing_cast.alice),
    )
    account = racing_cast.acme
    found = in_threads(
        [
            partial(membership_leave, account=account, user=user, actor=as_actor(user))
            for user in (racing_cast.alice, racing_cast.adam)
        ]
    )
    assert kinds([*found]) == {LastOwner.__name__: 1}
    assert account.memberships.filter(role=Role.OWNER).count() == 1


def test_organisations_of_one_name(racing_cast: Cast) -> None:
    users = [person(f"founder{number}") for number in range(4)]
    found = in_threads(
        [partial(account_create, name="Same", owner=user, actor=as_actor(user)) for user in users]
    )
    accounts = [account for account in found if isinstance(account, Account)]
    assert len({account.slug for account in accounts}) == 4
    assert "same" in {account.slug for account in accounts}
    assert [audit_verify(account.id).is_intact for account in accounts] == [True] * 4
