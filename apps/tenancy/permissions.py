"""Permissions and the roles that hold them (spec 05, 1.3). Pure: no request, no database.

A permission is a named string; a role is a set of them for production and a set for every other
environment. API keys and tokens carry permissions of their own, never a person's role.
"""

from enum import StrEnum

from apps.tenancy.models.environment import EnvironmentType
from apps.tenancy.models.membership import Role


class Permission(StrEnum):
    """What one may be allowed to do. In another tenant everything is "not found"; here a refusal names it."""

    VIEW = "view"
    DATA_READ = "data.read"
    EVENT_SEND = "event.send"
    RUN_CANCEL = "run.cancel"
    RUN_RERUN = "run.rerun"
    FUNCTION_INVOKE = "function.invoke"
    FUNCTION_PAUSE = "function.pause"
    RUN_CANCEL_BULK = "run.cancel.bulk"
    REPLAY = "replay"
    APP_SYNC = "app.sync"
    APP_ARCHIVE = "app.archive"
    ENVIRONMENT_MANAGE = "environment.manage"
    EVENT_KEY_REVEAL = "key.event.reveal"
    SIGNING_KEY_REVEAL = "key.signing.reveal"
    KEY_MANAGE = "key.manage"
    WEBHOOK_MANAGE = "webhook.manage"
    API_KEY_MANAGE = "api_key.manage"
    INSIGHTS_QUERY = "insights.query"
    ALERT_MANAGE = "alert.manage"
    MEMBER_MANAGE = "member.manage"
    SSO_MANAGE = "sso.manage"
    ACCOUNT_MANAGE = "account.manage"
    USAGE_VIEW = "usage.view"
    AUDIT_READ = "audit.read"
    ACCOUNT_DELETE = "account.delete"


P = Permission

_READING = frozenset({P.VIEW, P.DATA_READ})
_ACTING = frozenset({P.EVENT_SEND, P.RUN_CANCEL, P.RUN_RERUN, P.FUNCTION_INVOKE, P.APP_SYNC, P.APP_ARCHIVE})
_OPERATING = _READING | _ACTING | {P.FUNCTION_PAUSE, P.RUN_CANCEL_BULK, P.REPLAY}
_WATCHING = frozenset({P.INSIGHTS_QUERY, P.ALERT_MANAGE})
_KEYS = frozenset({P.EVENT_KEY_REVEAL, P.SIGNING_KEY_REVEAL, P.KEY_MANAGE, P.WEBHOOK_MANAGE})
_ADMIN = (
    _OPERATING
    | _WATCHING
    | _KEYS
    | {P.ENVIRONMENT_MANAGE, P.API_KEY_MANAGE, P.MEMBER_MANAGE, P.SSO_MANAGE, P.ACCOUNT_MANAGE}
    | {P.USAGE_VIEW, P.AUDIT_READ}
)

# Everywhere, production included.
_ALWAYS: dict[Role, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission),
    Role.ADMIN: frozenset(_ADMIN),
    Role.DEVELOPER: _READING | _WATCHING,
    Role.OPERATOR: frozenset(_OPERATING | _WATCHING),
    Role.VIEWER: _READING,
    Role.BILLING: frozenset({P.USAGE_VIEW}),
    Role.AUDITOR: frozenset({P.VIEW, P.AUDIT_READ}),
}
# On top of that, outside of production.
_OUTSIDE_PRODUCTION: dict[Role, frozenset[Permission]] = {
    Role.DEVELOPER: frozenset(_OPERATING | {P.EVENT_KEY_REVEAL, P.SIGNING_KEY_REVEAL, P.WEBHOOK_MANAGE}),
}


def permissions_of(role: Role, environment_type: EnvironmentType | None = None) -> frozenset[Permission]:
    """What the role may do in an environment of the type; None: on the level of the account."""
    granted = _ALWAYS[role]
    if environment_type is not None and environment_type != EnvironmentType.PRODUCTION:
        granted |= _OUTSIDE_PRODUCTION.get(role, frozenset())
    return granted


def roles_with(permission: Permission, environment_type: EnvironmentType | None = None) -> list[Role]:
    """The roles to name when someone is told who can."""
    return [role for role in Role if permission in permissions_of(role, environment_type)]
