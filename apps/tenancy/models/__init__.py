"""Accounts, their people and environments: the outer levels of the tenancy chain (spec 05, chapter 1)."""

from apps.tenancy.models.account import DEV_ACCOUNT_ID, Account, AccountStatus
from apps.tenancy.models.environment import DEV_ENVIRONMENT_ID, Environment, EnvironmentType
from apps.tenancy.models.membership import Invitation, InvitationState, Membership, Role

__all__ = [
    "DEV_ACCOUNT_ID",
    "DEV_ENVIRONMENT_ID",
    "Account",
    "AccountStatus",
    "Environment",
    "EnvironmentType",
    "Invitation",
    "InvitationState",
    "Membership",
    "Role",
]
