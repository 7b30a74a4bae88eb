"""What credentials may do (spec 05, 2.3): those of apps have fixed sets, keys and tokens one of their own."""

from collections.abc import Iterable, Mapping
from typing import Final

from apps.credentials.exceptions import InvalidPermissions
from apps.tenancy.models import EnvironmentType, Role
from apps.tenancy.permissions import Permission, permissions_of

P = Permission

EVENT_KEY_PERMISSIONS: Final = frozenset({P.EVENT_SEND, P.FUNCTION_INVOKE})
# What SDKs and their users' scripts do with a signing key; webhooks are among them (spec 03, 2.2 and 4.10).
SIGNING_KEY_PERMISSIONS: Final = frozenset(
    {P.VIEW, P.DATA_READ, P.EVENT_SEND, P.FUNCTION_INVOKE, P.RUN_CANCEL, P.RUN_RERUN, P.RUN_CANCEL_BULK}
    | {P.APP_SYNC, P.APP_ARCHIVE, P.WEBHOOK_MANAGE, P.EVENT_KEY_REVEAL}
)

PRESETS: Final[Mapping[str, frozenset[Permission]]] = {
    "read-only": frozenset({P.VIEW, P.DATA_READ}),
    "deploy": frozenset({P.VIEW, P.APP_SYNC, P.APP_ARCHIVE}),
    "operate": frozenset({P.VIEW, P.DATA_READ, P.RUN_CANCEL, P.RUN_RERUN, P.FUNCTION_INVOKE})
    | {P.FUNCTION_PAUSE, P.RUN_CANCEL_BULK, P.REPLAY},
    "ingest": frozenset({P.EVENT_SEND}),
    "metrics": frozenset({P.USAGE_VIEW}),
    "full": frozenset(Permission)
    - {P.MEMBER_MANAGE, P.SSO_MANAGE, P.ACCOUNT_MANAGE, P.ACCOUNT_DELETE, P.API_KEY_MANAGE},
}
# What no key may do, whatever it was given: it would outlive the person that it was taken from.
GRANTABLE: Final = PRESETS["full"]


def grantable_to(role: Role) -> frozenset[Permission]:
    """What a token of a person with this role may be given: what the role may do in any environment."""
    own = permissions_of(role).union(*(permissions_of(role, kind) for kind in EnvironmentType))
    return own & GRANTABLE


def granted(names: Iterable[str]) -> frozenset[Permission]:
    """The permissions of stored names; those that no longer exist grant nothing."""
    return frozenset(permission for permission in GRANTABLE if permission.value in set(names))


def permission_names(permissions: Iterable[Permission]) -> list[str]:
    """What is stored of them. Raises InvalidPermissions for none, and for those that no key may have."""
    chosen = frozenset(permissions)
    if not chosen or not chosen <= GRANTABLE:
        raise InvalidPermissions
    return sorted(permission.value for permission in chosen)
