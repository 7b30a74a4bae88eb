"""Members: roles, restrictions, leaving; the last owner stays."""

from datetime import timedelta

import pytest

from apps.credentials.models import PersonalToken
from apps.tenancy.exceptions import (
    AccountSuspended,
    Forbidden,
    InvalidRestriction,
    LastOwner,
    NotFound,
    OwnerOnly,
)
from apps.tenancy.models import InvitationState, Membership, Role
from apps.tenancy.services.accounts import account_suspend
from apps.tenancy.services.invitations import invitation_create
from apps.tenancy.services.memberships import (
    membership_change_role,
    membership_leave,
    membership_remove,
    membership_restrict,
    membership_seen,
    ownership_transfer,
)
from tests.integration.tenancy.cast import Cast, as_actor, join, person


def roles(cast: Cast) -> dict[str, str]:
    members = cast.acme.memberships.select_related("user")
    return {member.user.email.partition("@")[0]: member.role for member in members}


def change(cast: Cast, by: str, whom: str, role: Role) -> Membership:
    user, other = getattr(cast, by), getattr(cast, whom)
    return membership_change_role(
        access=cast.access(user), membership_id=cast.membership(other).id, role=role, actor=as_actor(user)
    )


def test_an_admin_changes_a_role(cast: Cast) -> None:
    assert change(cast, "adam", "vera", Role.OPERATOR).role == Role.OPERATOR
    entry = cast.last_entry()
    assert (entry.action, entry.target_label, entry.actor_label) == (
        *("member.role", "vera@example.com", "adam@example.com"),
    )
    assert (entry.before, entry.after) == ({"role": "viewer"}, {"role": "operator"})


def test_the_same_role_again_is_no_change(cast: Cast) -> None:
    change(cast, "adam", "vera", Role.VIEWER)
    assert cast.trail() == []


def test_a_viewer_changes_nothing(cast: Cast) -> None:
    with pytest.raises(Forbidden):
        change(cast, "vera", "vera", Role.ADMIN)
    assert (roles(cast)["vera"], cast.trail()) == ("viewer", [])


@pytest.mark.parametrize(
    ("whom", "role"), [("vera", Role.OWNER), ("adam", Role.OWNER), ("alice", Role.ADMIN)]
)
def test_an_admin_neither_makes_nor_unmakes_owners(cast: Cast, whom: str, role: Role) -> None:
    before = roles(cast)
    with pytest.raises(OwnerOnly):
        change(cast, "adam", whom, role)
    assert (roles(cast), cast.trail()) == (before, [])


def test_the_last_owner_stays_one(cast: Cast) -> None:
    with pytest.raises(LastOwner):
        change(cast, "alice", "alice", Role.ADMIN)
    change(cast, "alice", "adam", Role.OWNER)
    change(cast, "adam", "alice", Role.VIEWER)
    assert roles(cast) == {"alice": "viewer", "adam": "owner", "vera": "viewer"}


def test_an_owner_who_cannot_sign_in_does_not_count(cast: Cast) -> None:
    change(cast, "alice", "adam", Role.OWNER)
    cast.adam.is_active = False
    cast.adam.save()
    with pytest.raises(LastOwner):
        membership_leave(account=cast.acme, user=cast.alice, actor=as_actor(cast.alice))


def test_members_of_another_organisation_are_not_found(cast: Cast) -> None:
    foreign = cast.other.memberships.get()
    for act in (
        lambda access, actor: membership_change_role(
            access=access, membership_id=foreign.id, role=Role.VIEWER, actor=actor
        ),
        lambda access, actor: membership_remove(access=access, membership_id=foreign.id, actor=actor),
        lambda access, actor: ownership_transfer(access=access, membership_id=foreign.id, actor=actor),
        lambda access, actor: membership_restrict(
            access=access, membership_id=foreign.id, environment_ids=[], actor=actor
        ),
    ):
        with pytest.raises(NotFound):
            act(cast.access(cast.alice), as_actor(cast.alice))
    assert cast.other.memberships.get().role == Role.OWNER


def test_a_restriction_is_set_and_lifted(cast: Cast) -> None:
    access, actor = cast.access(cast.alice), as_actor(cast.alice)
    vera, branch = cast.membership(cast.vera), cast.environment("branch")
    for _ in range(2):
        restricted = membership_restrict(
            access=access, membership_id=vera.id, environment_ids=[branch.id], actor=actor
        )
    assert (restricted.is_restricted, list(restricted.environments.all())) == (True, [branch])
    with pytest.raises(NotFound):
        cast.access(cast.vera, "production")
    free = membership_restrict(access=access, membership_id=vera.id, environment_ids=[], actor=actor)
    assert (free.is_restricted, list(free.environments.all())) == (False, [])
    assert cast.trail() == ["member.restrict", "member.restrict"]


def test_a_restriction_to_elsewhere_or_of_an_owner_is_refused(cast: Cast) -> None:
    access, actor = cast.access(cast.alice), as_actor(cast.alice)
    foreign = cast.other.environments.get(slug="production")
    own = cast.environment("production")
    for user, environment in ((cast.vera, foreign), (cast.alice, own)):
        with pytest.raises(InvalidRestriction):
            membership_restrict(
                access=access,
                membership_id=cast.membership(user).id,
                environment_ids=[environment.id],
                actor=actor,
            )
    assert cast.trail() == []


def test_a_new_owner_is_not_restricted(cast: Cast) -> None:
    rita = person("rita")
    membership = join(cast.acme, rita, Role.ADMIN, cast.environment("branch"))
    owner = membership_change_role(
        access=cast.access(cast.alice),
        membership_id=membership.id,
        role=Role.OWNER,
        actor=as_actor(cast.alice),
    )
    assert (owner.is_restricted, owner.environments.count()) == (False, 0)


def test_who_is_removed_leaves_tokens_and_invitations_behind(cast: Cast) -> None:
    invited = invitation_create(
        access=cast.access(cast.adam), email="new@example.com", role=Role.VIEWER, actor=as_actor(cast.adam)
    ).invitation
    tokens = [
        PersonalToken.objects.create(account=account, user=cast.adam, name="cli", value_hash=account.slug)
        for account in (cast.acme, cast.other)
    ]
    membership_remove(
        access=cast.access(cast.alice),
        membership_id=cast.membership(cast.adam).id,
        actor=as_actor(cast.alice),
    )
    invited.refresh_from_db()
    for token in tokens:
        token.refresh_from_db()
    assert invited.state == InvitationState.REVOKED
    assert [token.revoked_at is not None for token in tokens] == [True, False]
    assert roles(cast) == {"alice": "owner", "vera": "viewer"}
    assert (cast.last_entry().action, cast.last_entry().before) == ("member.remove", {"role": "admin"})


def test_an_admin_does_not_remove_an_owner(cast: Cast) -> None:
    with pytest.raises(OwnerOnly):
        membership_remove(
            access=cast.access(cast.adam),
            membership_id=cast.membership(cast.alice).id,
            actor=as_actor(cast.adam),
        )
    assert "alice" in roles(cast)


def test_leaving(cast: Cast) -> None:
    membership_leave(account=cast.acme, user=cast.vera, actor=as_actor(cast.vera))
    with pytest.raises(NotFound):
        membership_leave(account=cast.acme, user=cast.vera, actor=as_actor(cast.vera))
    with pytest.raises(LastOwner):
        membership_leave(account=cast.acme, user=cast.alice, actor=as_actor(cast.alice))
    assert roles(cast) == {"alice": "owner", "adam": "admin"}
    assert cast.trail() == ["member.leave"]


def test_a_transfer_makes_an_owner_and_an_admin(cast: Cast) -> None:
    vera = cast.membership(cast.vera)
    with pytest.raises(Forbidden):
        ownership_transfer(access=cast.access(cast.adam), membership_id=vera.id, actor=as_actor(cast.adam))
    ownership_transfer(access=cast.access(cast.alice), membership_id=vera.id, actor=as_actor(cast.alice))
    assert roles(cast) == {"alice": "admin", "adam": "admin", "vera": "owner"}
    assert cast.trail() == ["member.role", "member.role"]


def test_a_transfer_to_oneself_changes_nothing(cast: Cast) -> None:
    own = cast.membership(cast.alice)
    ownership_transfer(access=cast.access(cast.alice), membership_id=own.id, actor=as_actor(cast.alice))
    assert (roles(cast)["alice"], cast.trail()) == ("owner", [])


def test_being_at_work_is_noted_now_and_then(cast: Cast) -> None:
    membership_seen(membership=cast.membership(cast.vera))
    first = cast.membership(cast.vera).last_active_at
    assert first is not None
    membership_seen(membership=cast.membership(cast.vera))
    assert cast.membership(cast.vera).last_active_at == first
    earlier = first - timedelta(minutes=6)
    Membership.objects.filter(user=cast.vera).update(last_active_at=earlier)
    membership_seen(membership=cast.membership(cast.vera))
    now = cast.membership(cast.vera).last_active_at
    assert now is not None
    assert now > first
    assert cast.trail() == []


def test_nothing_changes_while_suspended(cast: Cast) -> None:
    account_suspend(account=cast.acme, actor=as_actor(cast.mallory))
    with pytest.raises(AccountSuspended):
        change(cast, "alice", "vera", Role.ADMIN)
    assert roles(cast)["vera"] == "viewer"
