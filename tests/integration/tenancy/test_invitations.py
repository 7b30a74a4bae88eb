"""Invitations: one address, one use, 7 days."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.utils import timezone

from apps.tenancy.access import access_for
from apps.tenancy.exceptions import (
    AccountDeleting,
    AlreadyInvited,
    AlreadyMember,
    Forbidden,
    InvalidEmail,
    InvitationExpired,
    InvitationNotFound,
    InvitationNotPending,
    InvitationOfAnother,
    OwnerOnly,
    SeatLimit,
)
from apps.tenancy.models import Invitation, InvitationState, Role
from apps.tenancy.services.accounts import account_delete_request
from apps.tenancy.services.invitations import (
    Invited,
    invitation_accept,
    invitation_create,
    invitation_resend,
    invitation_revoke,
)
from tests.integration.tenancy.cast import Cast, as_actor, person


def invite(cast: Cast, email: str = "nina@example.com", role: Role = Role.DEVELOPER) -> Invited:
    return invitation_create(access=cast.access(cast.adam), email=email, role=role, actor=as_actor(cast.adam))


def expire(invitation: Invitation) -> None:
    Invitation.objects.filter(id=invitation.id).update(expires_at=timezone.now() - timedelta(seconds=1))


def test_an_invitation_keeps_no_token(cast: Cast) -> None:
    invitation, token = invite(cast, " Nina@Example.COM ")
    assert (invitation.email, invitation.role, invitation.state) == (
        "nina@example.com",
        "developer",
        "pending",
    )
    assert invitation.invited_by == cast.adam
    assert timedelta(0) <= timezone.now() + timedelta(days=7) - invitation.expires_at < timedelta(minutes=1)
    assert len(token) == 43
    stored = [str(value) for value in Invitation.objects.values().get(id=invitation.id).values()]
    assert token not in stored
    assert cast.last_entry().after == {"role": "developer", "environments": []}


def test_accepting_makes_a_member_once(cast: Cast) -> None:
    nina = person("nina")
    _, token = invite(cast)
    membership = invitation_accept(token=token, user=nina)
    assert (membership.account, membership.user, membership.role) == (cast.acme, nina, Role.DEVELOPER)
    assert invitation_accept(token=token, user=nina).id == membership.id
    with pytest.raises(InvitationNotPending):
        invitation_accept(token=token, user=cast.mallory)
    assert cast.trail() == ["invitation.create", "invitation.accept"]
    assert cast.last_entry().actor_label == "nina@example.com"


def test_a_restriction_is_taken_along(cast: Cast) -> None:
    branch = cast.environment("branch")
    _, token = invitation_create(
        access=cast.access(cast.adam),
        email="nina@example.com",
        role=Role.VIEWER,
        environment_ids=[branch.id],
        actor=as_actor(cast.adam),
    )
    membership = invitation_accept(token=token, user=person("nina"))
    assert (membership.is_restricted, list(membership.environments.all())) == (True, [branch])


def test_another_address_has_to_be_verified(cast: Cast) -> None:
    _, token = invite(cast)
    address = EmailAddress.objects.create(user=cast.mallory, email="Nina@example.com", verified=False)
    with pytest.raises(InvitationOfAnother):
        invitation_accept(token=token, user=cast.mallory)
    assert not cast.acme.memberships.filter(user=cast.mallory).exists()
    address.verified = True
    address.save()
    assert invitation_accept(token=token, user=cast.mallory).role == Role.DEVELOPER


def test_a_member_who_accepts_keeps_the_role(cast: Cast) -> None:
    EmailAddress.objects.create(user=cast.vera, email="nina@example.com", verified=True)
    _, token = invite(cast)
    assert invitation_accept(token=token, user=cast.vera).role == Role.VIEWER


def test_an_expired_invitation_is_worth_nothing_and_may_be_replaced(cast: Cast) -> None:
    nina = person("nina")
    invitation, token = invite(cast)
    expire(invitation)
    with pytest.raises(InvitationExpired):
        invitation_accept(token=token, user=nina)
    _, again = invite(cast)
    with pytest.raises(InvitationNotPending):
        invitation_accept(token=token, user=nina)
    assert invitation_accept(token=again, user=nina).role == Role.DEVELOPER


def test_sending_again_makes_a_new_link_and_a_new_week(cast: Cast) -> None:
    nina = person("nina")
    invitation, token = invite(cast)
    expire(invitation)
    resent, again = invitation_resend(
        access=cast.access(cast.alice), invitation_id=invitation.id, actor=as_actor(cast.alice)
    )
    assert (resent.id, again != token) == (invitation.id, True)
    with pytest.raises(InvitationNotFound):
        invitation_accept(token=token, user=nina)
    assert invitation_accept(token=again, user=nina).user == nina


def test_a_revoked_invitation(cast: Cast) -> None:
    invitation, token = invite(cast)
    revoked = invitation_revoke(
        access=cast.access(cast.alice), invitation_id=invitation.id, actor=as_actor(cast.alice)
    )
    assert revoked.state == InvitationState.REVOKED
    for act in (invitation_revoke, invitation_resend):
        with pytest.raises(InvitationNotPending):
            act(access=cast.access(cast.alice), invitation_id=invitation.id, actor=as_actor(cast.alice))
    with pytest.raises(InvitationNotPending):
        invitation_accept(token=token, user=person("nina"))


def test_who_may_invite_whom(cast: Cast) -> None:
    with pytest.raises(Forbidden):
        invitation_create(
            access=cast.access(cast.vera), email="a@b.test", role=Role.VIEWER, actor=as_actor(cast.vera)
        )
    with pytest.raises(OwnerOnly):
        invite(cast, role=Role.OWNER)
    owner = invitation_create(
        access=cast.access(cast.alice), email="a@b.test", role=Role.OWNER, actor=as_actor(cast.alice)
    ).invitation
    for act in (invitation_revoke, invitation_resend):
        with pytest.raises(OwnerOnly):
            act(access=cast.access(cast.adam), invitation_id=owner.id, actor=as_actor(cast.adam))
    assert Invitation.objects.get().state == InvitationState.PENDING


def test_addresses_that_are_refused(cast: Cast) -> None:
    invite(cast)
    for email, refusal in (
        ("NINA@example.com", AlreadyInvited),
        ("vera@example.com", AlreadyMember),
        ("nobody", InvalidEmail),
        ("", InvalidEmail),
    ):
        with pytest.raises(refusal):
            invite(cast, email)
    assert Invitation.objects.count() == 1


def test_seats_bound_what_is_open_and_who_is_there(cast: Cast) -> None:
    cast.acme.entitlements = {"users": 4}
    cast.acme.save()
    first, token = invite(cast)
    with pytest.raises(SeatLimit):
        invite(cast, "second@example.com")
    invitation_accept(token=token, user=person("nina"))
    with pytest.raises(SeatLimit):
        invite(cast, "second@example.com")
    assert Invitation.objects.get().id == first.id


def test_foreign_invitations_are_not_found(cast: Cast) -> None:
    foreign = invitation_create(
        access=cast.access(cast.alice), email="a@b.test", role=Role.VIEWER, actor=as_actor(cast.alice)
    ).invitation
    for act in (invitation_revoke, invitation_resend):
        with pytest.raises(InvitationNotFound):
            act(
                access=access_for(cast.mallory, cast.other.slug),
                invitation_id=foreign.id,
                actor=as_actor(cast.mallory),
            )
    with pytest.raises(InvitationNotFound):
        invitation_accept(token="guessed", user=cast.mallory)


def test_nobody_joins_what_is_being_deleted(cast: Cast) -> None:
    _, token = invite(cast)
    account_delete_request(account=cast.acme, typed_name="Acme", actor=as_actor(cast.alice))
    with pytest.raises(AccountDeleting):
        invitation_accept(token=token, user=person("nina"))
    assert cast.acme.memberships.count() == 3
