"""Who may ask GraphQL, and for which environment: a credential, or a person on the pages of an environment.

Spec 03, 2.2 asks for nothing; a server with tenants must (it says so itself). Dev mode asks for nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware

from apps.audit.actors import Actor
from apps.audit.http import actor_of
from apps.credentials.caller import Caller, Code, Refused
from apps.credentials.http import actor_of_caller, caller_of
from apps.credentials.pipeline import write_refusal
from apps.credentials.resolution import DEV_CALLER
from apps.credentials.uses import READ
from apps.tenancy.access import Access
from apps.tenancy.exceptions import TenancyError
from apps.tenancy.permissions import Permission

READING: Final = Permission.DATA_READ
# Each field of the mutation type; one that is missing here is refused (tests/unit/api_graphql).
MUTATIONS: Final[Mapping[str, Permission]] = {
    "createApp": Permission.APP_SYNC,
    "updateApp": Permission.APP_SYNC,
    "deleteApp": Permission.APP_ARCHIVE,
    "deleteAppByName": Permission.APP_ARCHIVE,
    "invokeFunction": Permission.FUNCTION_INVOKE,
    "cancelRun": Permission.RUN_CANCEL,
    "rerun": Permission.RUN_RERUN,
}

_CSRF: Final = Refused(403, "csrf_failed", "The request does not come from a page of this server")


@dataclass(frozen=True, slots=True)
class Authority:
    """`may_change` refuses, or does not, what needs a permission."""

    environment_id: UUID
    account_id: UUID
    actor: Actor
    may_change: Callable[[Permission], Refused | None]


def authority_of(request: HttpRequest) -> Authority | Refused:
    """Who asks; whoever gets an authority may read."""
    if settings.STEPWELL_MODE == "dev":
        return _of_caller(request, DEV_CALLER)
    access: Access | None = getattr(request, "access", None)
    if access is not None:
        return _of_access(request, access)
    caller = caller_of(request, use=READ, permission=READING)
    return caller if isinstance(caller, Refused) else _of_caller(request, caller)


def mutation_refusal(authority: Authority, fields: set[str]) -> Refused | None:
    """Whether one of the mutation's root fields may not be asked for."""
    for name in sorted(fields):
        permission = MUTATIONS.get(name)
        refused = authority.may_change(permission) if permission else _unknown(authority, name)
        if refused:
            return refused
    return None


def _unknown(authority: Authority, name: str) -> Refused | None:
    """Introspection of the type's name changes nothing."""
    if name == "__typename":
        return None
    return Refused(403, Code.FORBIDDEN, f"{name} may not be asked for", authority.environment_id)


def _of_caller(request: HttpRequest, caller: Caller) -> Authority:
    return Authority(
        caller.environment_id,
        caller.account_id,
        actor_of_caller(request, caller),
        lambda permission: write_refusal(caller, permission),
    )


def _of_access(request: HttpRequest, access: Access) -> Authority | Refused:
    """A person's browser brings its cookies along whoever makes it ask, so a POST needs the page's token."""
    environment = access.environment
    if environment is None:
        return Refused(400, Code.ENV_UNSPECIFIED, "The path names no environment")
    if refused := _access_refusal(access, READING):
        return refused
    if request.method == "POST" and _is_forged(request):
        return _CSRF
    return Authority(
        environment.id,
        access.account.id,
        actor_of(request),
        lambda permission: _access_refusal(access, permission),
    )


def _access_refusal(access: Access, permission: Permission) -> Refused | None:
    try:
        access.require(permission)
    except TenancyError as refused:
        environment_id = access.environment.id if access.environment else None
        return Refused(refused.status, refused.code, str(refused), environment_id)
    return None


def _is_forged(request: HttpRequest) -> bool:
    check = CsrfViewMiddleware(lambda _: HttpResponse())
    check.process_request(request)
    return check.process_view(request, lambda _: HttpResponse(), (), {}) is not None
