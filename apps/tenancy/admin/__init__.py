"""Tenants and people in the operator console."""

from apps.tenancy.admin.accounts import AccountAdmin
from apps.tenancy.admin.environments import EnvironmentAdmin
from apps.tenancy.admin.members import InvitationAdmin, MembershipAdmin
from apps.tenancy.admin.people import UserAdmin

__all__ = ["AccountAdmin", "EnvironmentAdmin", "InvitationAdmin", "MembershipAdmin", "UserAdmin"]
