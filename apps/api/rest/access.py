"""Who may call the REST faces, and for which environment (spec 03, 2.1 and 2.2; spec 05, 1.14)."""

import uuid
from collections.abc import Mapping
from typing import ClassVar, Final, cast

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.api.rest.errors import PublicError
from apps.credentials.caller import Caller, Refused
from apps.credentials.http import caller_of
from apps.credentials.uses import READ, WRITE
from apps.tenancy.permissions import Permission

_READING: Final = frozenset({"GET", "HEAD"})


class Guarded:
    """What a view's methods need; a method that the view does not have needs VIEW."""

    permissions: ClassVar[Mapping[str, Permission]]


class CallerRequired(BasePermission):
    """A signing key or its hash, an API key or a personal token; in dev mode nothing is asked for."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """False for who is not known. Raises PublicError for who is, and may not."""
        method = request.method or ""
        found = caller_of(
            request._request,
            use=READ if method in _READING else WRITE,
            permission=cast("Guarded", view).permissions.get(method, Permission.VIEW),
        )
        if isinstance(found, Caller):
            return True
        if found.status == 401:
            return False
        raise _error(found)


def _error(refused: Refused) -> PublicError:
    return PublicError(refused.status, refused.message, refused.code)


def caller_of_request(request: Request) -> Caller:
    """Who was let through."""
    return cast("Caller", request._request.caller)  # type: ignore[attr-defined]


def environment_of(request: Request) -> uuid.UUID:
    """The environment that the request's credential belongs to."""
    return caller_of_request(request).environment_id
