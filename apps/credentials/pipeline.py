"""From a credential to a caller, in the order of spec 05, 1.14: each step passes or refuses."""

from dataclasses import replace
from typing import Final

from apps.credentials.caller import Caller, Code, Credential, CredentialKind, Place, Refused, caller_at
from apps.credentials.directory import Directory
from apps.credentials.uses import Use
from apps.tenancy.access import STARTING
from apps.tenancy.models import AccountStatus, EnvironmentType
from apps.tenancy.permissions import Permission

MISSING: Final = Refused(401, Code.MISSING, "Authentication is required")
INVALID: Final = Refused(401, Code.INVALID, "Authentication failed")
UNAVAILABLE: Final = Refused(503, Code.UNAVAILABLE, "Credentials cannot be checked at the moment")
BUSY: Final = replace(UNAVAILABLE, message="Too many credentials are being checked", retry_after=1)
_NOT_FOUND: Final = Refused(404, Code.ENV_NOT_FOUND, "There is no environment of that name")
_AMBIGUOUS: Final = Refused(
    400, Code.ENV_AMBIGUOUS, "Several environments have that name; use the slug or id"
)
_ARCHIVED = "The environment is archived"
_UNSPECIFIED = "The X-Inngest-Env header must name the environment"
_STATUS_REFUSALS: Final = {
    AccountStatus.SUSPENDED: (Code.SUSPENDED, "The organisation is suspended"),
    AccountStatus.DELETING: (Code.DELETING, "The organisation is being deleted"),
}


def settle(directory: Directory, credential: Credential, use: Use, env_name: str) -> Caller | Refused:
    """Steps 5 to 7: account, environment, archived or not. What depends on the time is not looked at."""
    if refused := _account_refusal(credential, use):
        return refused
    place = _place(directory, credential, use, env_name)
    if isinstance(place, Refused):
        return _of(credential, place)
    if place.is_archived and use.unarchives:
        return Refused(409, Code.ENV_ARCHIVED, _ARCHIVED, place.environment_id)
    caller = caller_at(credential, place)
    if credential.user_id is None:
        return caller
    own = directory.permissions_of_member(credential.user_id, place)
    return replace(caller, permissions=caller.permissions & own) if own else INVALID


def revoked(credential: Credential) -> Refused:
    return _of(credential, Refused(401, Code.REVOKED, "The credential has been revoked or has expired"))


def permission_refusal(caller: Caller, permission: Permission) -> Refused | None:
    """Step 8, and of step 7 what depends on what is asked for: in an archived environment nothing starts."""
    if permission not in caller.permissions:
        text = f"The credential lacks the permission {permission}"
        return Refused(403, Code.FORBIDDEN, text, caller.environment_id)
    if caller.environment_archived and permission in STARTING:
        return Refused(409, Code.ENV_ARCHIVED, _ARCHIVED, caller.environment_id)
    return None


def write_refusal(caller: Caller, permission: Permission) -> Refused | None:
    """Steps 5 and 8, for a face that knows only now that it is asked to change something."""
    if found := _STATUS_REFUSALS.get(caller.account_status):
        return Refused(403, *found, caller.environment_id)
    return permission_refusal(caller, permission)


def ip_refusal(caller: Caller, ip: str) -> Refused | None:
    """The first half of step 9."""
    if caller.filter is None or caller.filter.allows_ip(ip):
        return None
    return Refused(
        403, Code.IP_DENIED, "The key does not take events from this address", caller.environment_id
    )


def _account_refusal(credential: Credential, use: Use) -> Refused | None:
    found = _STATUS_REFUSALS.get(credential.account_status) if use.writes else None
    return _of(credential, Refused(403, *found)) if found else None


def _place(directory: Directory, credential: Credential, use: Use, env_name: str) -> Place | Refused:
    own, name = credential.place, env_name.strip()
    if own is None:
        return _named(directory, credential, name)
    if own.type != EnvironmentType.BRANCH_PARENT:
        return own
    if not name:
        return Refused(400, Code.ENV_UNSPECIFIED, _UNSPECIFIED) if use.needs_name else own
    if credential.kind == CredentialKind.WEBHOOK:
        use = use._replace(creates=False)
    branch = directory.branch(own, name, use)
    if isinstance(branch, Refused) and branch.code == Code.ENV_NOT_FOUND and not use.needs_name:
        return own
    return branch


def _named(directory: Directory, credential: Credential, name: str) -> Place | Refused:
    if not name:
        return Refused(400, Code.ENV_UNSPECIFIED, _UNSPECIFIED)
    found = list(directory.named_places(credential.account_id, name))
    if not found:
        return _NOT_FOUND
    return found[0] if len(found) == 1 else _AMBIGUOUS


def _of(credential: Credential, refused: Refused) -> Refused:
    """The refusal, noted with the environment of the credential."""
    if refused.environment_id is not None or credential.place is None:
        return refused
    return replace(refused, environment_id=credential.place.environment_id)
