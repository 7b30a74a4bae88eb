"""Who belongs to an organisation, as what (spec 05, 1.2).

Each takes the `access` of who acts; one that stands for a credential has no membership, and so is no owner.
All raise Forbidden, AccountSuspended and AccountDeleting by `Access.require`, and NotFound.
"""

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.audit.services import Actor, audit_record
from apps.identity.models import User
from apps.tenancy import hooks, locks
from apps.tenancy.access import Access
from apps.tenancy.announcements import announce_change
from apps.tenancy.exceptions import InvalidRestriction, LastOwner, NotFound, OwnerOnly
from apps.tenancy.models import Account, Environment, Invitation, InvitationState, Membership, Role
from apps.tenancy.permissions import Permission

SEEN_PRECISION = timedelta(minutes=5)


@transaction.atomic
def membership_change_role(*, access: Access, membership_id: UUID, role: Role, actor: Actor) -> Membership:
    """Only owners make, and change, owners; a new owner loses any restriction. Idempotent.

    Raises OwnerOnly, LastOwner.
    """
    access = lock_for_members(access)
    membership = _get(access.account, membership_id)
    _change_role(access, membership, role, actor)
    return membership


@transaction.atomic
def membership_restrict(
    *, access: Access, membership_id: UUID, environment_ids: Collection[UUID], actor: Actor
) -> Membership:
    """Let the member see these environments only; none: all of them. Idempotent.

    Raises InvalidRestriction for environments of elsewhere and for owners.
    """
    account = lock_for_members(access).account
    membership = _get(account, membership_id)
    _restrict(account, membership, environment_ids, actor)
    return membership


@transaction.atomic
def membership_edit(
    *, access: Access, membership_id: UUID, role: Role, environment_ids: Collection[UUID], actor: Actor
) -> Membership:
    """`membership_change_role` and `membership_restrict`, both or neither; who acts may change their own."""
    access = lock_for_members(access)
    membership = _get(access.account, membership_id)
    _change_role(access, membership, role, actor)
    _restrict(access.account, membership, environment_ids, actor)
    return membership


@transaction.atomic
def membership_remove(*, access: Access, membership_id: UUID, actor: Actor) -> None:
    """End a membership, with the person's tokens and open invitations; what they made stays.

    Raises OwnerOnly for an owner, LastOwner.
    """
    access = lock_for_members(access)
    account = access.account
    membership = _get(account, membership_id)
    require_owner_for(access, Role(membership.role))
    _end(account, membership, actor, "member.remove")


@transaction.atomic
def membership_leave(*, account: Account, user: User, actor: Actor) -> None:
    """One's own membership. Raises NotFound for who is no member, LastOwner."""
    locked = locks.lock_account(account.id)
    membership = locked.memberships.filter(user=user).select_related("user").first()
    if membership is None:
        raise NotFound
    _end(locked, membership, actor, "member.leave")


@transaction.atomic
def ownership_transfer(*, access: Access, membership_id: UUID, actor: Actor) -> Membership:
    """Make another member the owner in the place of who acts, who stays as an admin.

    Raises Forbidden for who is no owner.
    """
    access.require(Permission.ACCOUNT_DELETE)
    account = lock_for_members(access).account
    new_owner = _get(account, membership_id)
    own = _get(account, access.membership.id) if access.membership else None
    if own is None or own.role != Role.OWNER:
        raise OwnerOnly
    if own.id == new_owner.id:
        return own
    before = Role(new_owner.role)
    _set_role(account, new_owner, Role.OWNER)
    _set_role(account, own, Role.ADMIN)
    _audit(new_owner, actor, "member.role", {"role": before}, {"role": Role.OWNER})
    _audit(own, actor, "member.role", {"role": Role.OWNER}, {"role": Role.ADMIN})
    _tell_of_owner(own, Role.OWNER, actor)
    return new_owner


def membership_seen(*, membership: Membership) -> None:
    """The member is at work; noted every few minutes, and in no log."""
    now = timezone.now()
    if membership.last_active_at is None or membership.last_active_at < now - SEEN_PRECISION:
        Membership.objects.filter(id=membership.id).update(last_active_at=now)


def lock_for_members(access: Access) -> Access:
    """What `access` is now, with its account locked, once it allows to manage members."""
    current = access.as_of(locks.lock_account(access.account.id))
    current.require(Permission.MEMBER_MANAGE)
    return current


def require_owner_for(access: Access, *roles: Role) -> None:
    """Raises OwnerOnly where one of the roles is the owner's and who acts is none."""
    if Role.OWNER in roles and not access.is_owner:
        raise OwnerOnly


def restriction_of(account: Account, role: Role, environment_ids: Iterable[UUID]) -> list[Environment]:
    """The environments of a restriction. Raises InvalidRestriction."""
    wanted = set(environment_ids)
    found = list(account.environments.filter(id__in=wanted))
    if len(found) != len(wanted) or (wanted and role == Role.OWNER):
        raise InvalidRestriction
    return found


def _get(account: Account, membership_id: UUID) -> Membership:
    membership = account.memberships.filter(id=membership_id).select_related("user").first()
    if membership is None:
        raise NotFound
    return membership


def _change_role(access: Access, membership: Membership, role: Role, actor: Actor) -> None:
    before = Role(membership.role)
    if before == role:
        return
    require_owner_for(access, before, role)
    _set_role(access.account, membership, role)
    _audit(membership, actor, "member.role", {"role": before}, {"role": role})
    _tell_of_owner(membership, before, actor)


def _restrict(
    account: Account, membership: Membership, environment_ids: Collection[UUID], actor: Actor
) -> None:
    wanted = restriction_of(account, Role(membership.role), environment_ids)
    before = sorted(membership.environments.values_list("slug", flat=True))
    after = sorted(environment.slug for environment in wanted)
    if before == after and membership.is_restricted == bool(wanted):
        return
    membership.is_restricted = bool(wanted)
    membership.save(update_fields=["is_restricted"])
    membership.environments.set(wanted)
    _audit(membership, actor, "member.restrict", {"environments": before}, {"environments": after})
    announce_change(account.id)


def _set_role(account: Account, membership: Membership, role: Role) -> None:
    if membership.role == Role.OWNER:
        _require_other_owner(account, membership)
    membership.role = role
    if role == Role.OWNER:
        membership.is_restricted = False
        membership.environments.clear()
    membership.save(update_fields=["role", "is_restricted"])
    announce_change(account.id)


def _tell_of_owner(membership: Membership, before: Role, actor: Actor) -> None:
    if before == Role.OWNER:
        hooks.owner_steps_down(membership.account_id, membership.user_id, actor)


def _require_other_owner(account: Account, membership: Membership) -> None:
    owners = account.memberships.filter(role=Role.OWNER, user__is_active=True)
    if not owners.exclude(id=membership.id).exists():
        raise LastOwner


def _end(account: Account, membership: Membership, actor: Actor, action: str) -> None:
    if membership.role == Role.OWNER:
        _require_other_owner(account, membership)
    Invitation.objects.filter(
        account=account, invited_by=membership.user, state=InvitationState.PENDING
    ).update(state=InvitationState.REVOKED)
    hooks.member_departs(account.id, membership.user_id)
    _audit(membership, actor, action, {"role": membership.role}, {})
    _tell_of_owner(membership, Role(membership.role), actor)
    membership.delete()
    announce_change(account.id)


def _audit(
    membership: Membership, actor: Actor, action: str, before: dict[str, Any], after: dict[str, Any]
) -> None:
    audit_record(
        account_id=membership.account_id,
        actor=actor,
        action=action,
        target_type="member",
        target_id=membership.user_id,
        target_label=membership.user.email,
        before=before,
        after=after,
    )
