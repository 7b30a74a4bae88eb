"""Invitations: an address may join once, by a link that holds for 7 days (spec 05, 1.2)."""

import hashlib
import secrets
from collections.abc import Collection
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from apps.audit.actors import Actor
from apps.audit.models import ActorKind
from apps.audit.services import audit_record
from apps.identity.models import User
from apps.tenancy import locks
from apps.tenancy.access import Access
from apps.tenancy.announcements import announce_change
from apps.tenancy.entitlements import entitlements_of
from apps.tenancy.exceptions import (
    AlreadyInvited,
    AlreadyMember,
    InvalidEmail,
    InvitationExpired,
    InvitationNotFound,
    InvitationNotPending,
    InvitationOfAnother,
    SeatLimit,
)
from apps.tenancy.models import Account, Invitation, InvitationState, Membership, Role
from apps.tenancy.services.addresses import owns_address
from apps.tenancy.services.guards import is_full, require_writable
from apps.tenancy.services.memberships import lock_for_members, require_owner_for, restriction_of

LIFETIME = timedelta(days=7)


class Invited(NamedTuple):
    """`token` is what the link holds; it is kept nowhere."""

    invitation: Invitation
    token: str


@transaction.atomic
def invitation_create(
    *,
    access: Access,
    email: str,
    role: Role,
    environment_ids: Collection[UUID] = (),
    invited_by: User | None = None,
    actor: Actor,
) -> Invited:
    """Only owners invite owners. An expired invitation of the address is replaced.

    Raises InvalidEmail, OwnerOnly, InvalidRestriction, AlreadyMember, AlreadyInvited, SeatLimit, and what
    `Access.require` does.
    """
    access = lock_for_members(access)
    account = access.account
    require_owner_for(access, role)
    address = _clean_email(email)
    environments = restriction_of(account, role, environment_ids)
    _require_new(account, address)
    _require_seat(account)
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        account=account,
        email=address,
        role=role,
        is_restricted=bool(environments),
        token_hash=token_hash(token),
        invited_by=invited_by or (access.membership.user if access.membership else None),
        expires_at=timezone.now() + LIFETIME,
    )
    invitation.environments.set(environments)
    slugs = sorted(environment.slug for environment in environments)
    _audit(invitation, actor, "invitation.create", {"role": str(role), "environments": slugs})
    return Invited(invitation, token)


@transaction.atomic
def invitation_resend(*, access: Access, invitation_id: UUID, actor: Actor) -> Invited:
    """A new link, which holds for another 7 days; the old one is worth nothing from now on.

    Raises InvitationNotFound, InvitationNotPending, OwnerOnly, and what `Access.require` does.
    """
    access = lock_for_members(access)
    invitation = _get_pending(access.account, invitation_id)
    require_owner_for(access, Role(invitation.role))
    token = secrets.token_urlsafe(32)
    invitation.token_hash, invitation.expires_at = token_hash(token), timezone.now() + LIFETIME
    invitation.save(update_fields=["token_hash", "expires_at"])
    _audit(invitation, actor, "invitation.resend", {})
    return Invited(invitation, token)


@transaction.atomic
def invitation_revoke(*, access: Access, invitation_id: UUID, actor: Actor) -> Invitation:
    """Raises InvitationNotFound, InvitationNotPending, OwnerOnly, and what `Access.require` does."""
    access = lock_for_members(access)
    invitation = _get_pending(access.account, invitation_id)
    require_owner_for(access, Role(invitation.role))
    invitation.state = InvitationState.REVOKED
    invitation.save(update_fields=["state"])
    _audit(invitation, actor, "invitation.revoke", {})
    return invitation


@transaction.atomic
def invitation_accept(*, token: str, user: User, actor: Actor | None = None) -> Membership:
    """Join. The same user's second try finds the membership; a member keeps the role that they have.

    Raises InvitationNotFound, InvitationNotPending, InvitationExpired, InvitationOfAnother where the user
    owns another address than was invited, AccountSuspended, AccountDeleting.
    """
    found = invitation_of(token)
    account = locks.lock_account(found.account_id)
    invitation = account.invitations.get(id=found.id)
    membership = account.memberships.filter(user=user).first()
    if invitation.state == InvitationState.ACCEPTED and membership and owns_address(user, invitation.email):
        return membership
    _require_acceptable(account, invitation, token, user)
    if membership is None:
        membership = _join(account, invitation, user)
    invitation.state = InvitationState.ACCEPTED
    invitation.save(update_fields=["state"])
    who = actor or Actor(ActorKind.USER, str(user.id), user.email)
    _audit(invitation, who, "invitation.accept", {"role": membership.role, "member": user.email})
    announce_change(account.id)
    return membership


def invitation_of(token: str) -> Invitation:
    """What the link stands for, in whatever state. Raises InvitationNotFound."""
    rows = Invitation.objects.select_related("account", "invited_by")
    invitation = rows.filter(token_hash=token_hash(token)).first()
    if invitation is None:
        raise InvitationNotFound
    return invitation


def token_hash(token: str) -> str:
    """256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def _require_acceptable(account: Account, invitation: Invitation, token: str, user: User) -> None:
    if invitation.token_hash != token_hash(token):
        raise InvitationNotFound  # it was sent again meanwhile
    if invitation.state != InvitationState.PENDING:
        raise InvitationNotPending
    if invitation.expires_at <= timezone.now():
        raise InvitationExpired
    if not owns_address(user, invitation.email):
        raise InvitationOfAnother
    require_writable(account)


def _join(account: Account, invitation: Invitation, user: User) -> Membership:
    membership = Membership.objects.create(
        account=account, user=user, role=invitation.role, is_restricted=invitation.is_restricted
    )
    membership.environments.set(invitation.environments.all())
    return membership


def _require_new(account: Account, email: str) -> None:
    if account.memberships.filter(user__email=email).exists():
        raise AlreadyMember
    pending = account.invitations.filter(email=email, state=InvitationState.PENDING)
    pending.filter(expires_at__lte=timezone.now()).update(state=InvitationState.REVOKED)
    if pending.exists():
        raise AlreadyInvited


def _require_seat(account: Account) -> None:
    open_invitations = account.invitations.filter(
        state=InvitationState.PENDING, expires_at__gt=timezone.now()
    )
    if is_full(account.memberships.count() + open_invitations.count(), entitlements_of(account).users):
        raise SeatLimit


def _get_pending(account: Account, invitation_id: UUID) -> Invitation:
    invitation = account.invitations.filter(id=invitation_id).first()
    if invitation is None:
        raise InvitationNotFound
    if invitation.state != InvitationState.PENDING:
        raise InvitationNotPending
    return invitation


def _clean_email(email: str) -> str:
    address = User.objects.normalize_email(email)
    try:
        validate_email(address)
    except ValidationError:
        raise InvalidEmail from None
    return address


def _audit(invitation: Invitation, actor: Actor, action: str, after: dict[str, object]) -> None:
    audit_record(
        account_id=invitation.account_id,
        actor=actor,
        action=action,
        target_type="invitation",
        target_id=invitation.id,
        target_label=invitation.email,
        after=after,
    )
