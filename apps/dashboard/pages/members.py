"""The people of an organisation, its open invitations, and what its roles may do."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.utils import timezone

from apps.dashboard.gates import Gate, gate_of
from apps.dashboard.moments import in_ms
from apps.dashboard.places import organisation_url
from apps.tenancy.access import Access
from apps.tenancy.models import EnvironmentType, Invitation, InvitationState, Membership, Role
from apps.tenancy.permissions import Permission, permissions_of

MAX_MEMBERS: Final = 1_000

# What a role may do, in words; the permission that stands for it.
_CAPABILITIES: Final = (
    ("See runs, events, functions and apps", Permission.VIEW),
    ("See payloads and outputs", Permission.DATA_READ),
    ("Send events, invoke, rerun, cancel", Permission.RUN_RERUN),
    ("Pause and resume functions", Permission.FUNCTION_PAUSE),
    ("Sync and remove apps", Permission.APP_SYNC),
    ("Reveal keys", Permission.EVENT_KEY_REVEAL),
    ("Create, rotate and revoke keys", Permission.KEY_MANAGE),
    ("Webhooks", Permission.WEBHOOK_MANAGE),
    ("Environments", Permission.ENVIRONMENT_MANAGE),
    ("API keys", Permission.API_KEY_MANAGE),
    ("Members, single sign-on, settings", Permission.MEMBER_MANAGE),
    ("Audit log", Permission.AUDIT_READ),
    ("Usage", Permission.USAGE_VIEW),
    ("Delete the organisation, transfer it", Permission.ACCOUNT_DELETE),
)


@dataclass(frozen=True, slots=True)
class MemberRow:
    """Times in ms; `restriction` names the environments of a restricted member."""

    id: UUID
    name: str
    email: str
    role: str
    restriction: str
    active_at: int | None
    is_self: bool
    edit_url: str
    remove_url: str
    owner_url: str


@dataclass(frozen=True, slots=True)
class InvitationRow:
    id: UUID
    email: str
    role: str
    inviter: str
    expires_at: int
    is_expired: bool
    resend_url: str
    revoke_url: str


@dataclass(frozen=True, slots=True)
class Capability:
    """For each role: yes, no, or only outside of production."""

    label: str
    marks: list[str]


@dataclass(frozen=True, slots=True)
class MembersPage:
    members: list[MemberRow]
    invitations: list[InvitationRow]
    roles: list[str]
    capabilities: list[Capability]
    gate: Gate
    can_transfer: bool
    invite_url: str
    leave_url: str


def members_page(access: Access) -> MembersPage:
    account = access.account
    rows = account.memberships.select_related("user").prefetch_related("environments")
    gate = gate_of(access, Permission.MEMBER_MANAGE)
    return MembersPage(
        members=[_member(access, row) for row in rows.order_by("joined_at", "id")[:MAX_MEMBERS]],
        invitations=_invitations(access) if gate.is_shown else [],
        roles=[role.label for role in Role],
        capabilities=[_capability(label, permission) for label, permission in _CAPABILITIES],
        gate=gate,
        can_transfer=access.is_owner,
        invite_url=organisation_url(account, "invite"),
        leave_url=organisation_url(account, "leave") if access.membership else "",
    )


def _member(access: Access, row: Membership) -> MemberRow:
    account, user = access.account, row.user
    names = ", ".join(environment.name for environment in row.environments.all())
    return MemberRow(
        id=row.id,
        name=user.display_name,
        email=user.email,
        role=Role(row.role).label,
        restriction=(names or "no environment") if row.is_restricted else "",
        active_at=in_ms(row.last_active_at),
        is_self=access.membership is not None and row.id == access.membership.id,
        edit_url=organisation_url(account, "member-edit", row.id),
        remove_url=organisation_url(account, "member-remove", row.id),
        owner_url=organisation_url(account, "member-owner", row.id) if row.role != Role.OWNER else "",
    )


def _invitations(access: Access) -> list[InvitationRow]:
    rows = access.account.invitations.select_related("invited_by").filter(state=InvitationState.PENDING)
    return [_invitation(access, row) for row in rows.order_by("-created_at")[:MAX_MEMBERS]]


def _invitation(access: Access, row: Invitation) -> InvitationRow:
    return InvitationRow(
        id=row.id,
        email=row.email,
        role=Role(row.role).label,
        inviter=row.invited_by.display_name if row.invited_by else "",
        expires_at=in_ms(row.expires_at),
        is_expired=row.expires_at <= timezone.now(),
        resend_url=organisation_url(access.account, "invitation-resend", row.id),
        revoke_url=organisation_url(access.account, "invitation-revoke", row.id),
    )


def _capability(label: str, permission: Permission) -> Capability:
    return Capability(label, [_mark(role, permission) for role in Role])


def _mark(role: Role, permission: Permission) -> str:
    if permission in permissions_of(role, EnvironmentType.PRODUCTION):
        return "yes"
    return "outside production" if permission in permissions_of(role, EnvironmentType.TEST) else "no"
