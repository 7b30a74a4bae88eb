"""Who is behind a Django request that brings a bearer token."""

from uuid import UUID

from django.http import HttpRequest

from apps.audit.actors import Actor
from apps.audit.http import actor_from
from apps.audit.models import ActorKind
from apps.credentials.caller import Caller, CredentialKind, Refused
from apps.credentials.process import process_resolver
from apps.credentials.uses import Use
from apps.engine.protocol.signing import bearer_token
from apps.tenancy.permissions import Permission
from apps.tenancy.row_security import enter_request

_ACTORS = {
    CredentialKind.SIGNING_KEY: ActorKind.SIGNING_KEY,
    CredentialKind.API_KEY: ActorKind.API_KEY,
    CredentialKind.TOKEN: ActorKind.TOKEN,
}


def caller_of(request: HttpRequest, *, use: Use, permission: Permission) -> Caller | Refused:
    """Steps 2 to 9 of the pipeline. What is found is kept as `request.caller` or `request.refused` too, for
    notes and logs."""
    token = bearer_token(request.headers.get("Authorization", ""))
    found = process_resolver().bearer_sync(
        token,
        use=use,
        permission=permission,
        env_name=_utf8(request.headers.get("X-Inngest-Env", "")),
        ip=request.META.get("REMOTE_ADDR", ""),
    )
    setattr(request, "refused" if isinstance(found, Refused) else "caller", found)
    if not isinstance(found, Refused):
        enter_request(request, found.account_id, found.environment_id)
    return found


def _utf8(header: str) -> str:
    """Django reads headers as Latin-1; names of branches are UTF-8, as the event path reads them."""
    return header.encode("latin-1", errors="replace").decode(errors="replace")


def noted_environment(request: HttpRequest) -> UUID | None:
    """The environment that `caller_of` has found for the request, also where it refused."""
    found: Caller | Refused | None = getattr(request, "caller", None) or getattr(request, "refused", None)
    return found.environment_id if found else None


def actor_of_caller(request: HttpRequest, caller: Caller) -> Actor:
    """For the audit log: the credential, or whoever `apps.audit.http` knows in dev mode."""
    kind = _ACTORS.get(caller.kind, ActorKind.SYSTEM)
    return actor_from(request, kind, caller.credential_id, caller.label)
