"""Who is behind a request."""

import re

from django.http import HttpRequest

from apps.audit.actors import SYSTEM, Actor
from apps.audit.models import ActorKind
from apps.identity.models import User

_REQUEST_ID = re.compile(r"[\w.:-]{1,40}")


def actor_of(request: HttpRequest) -> Actor:
    """The signed-in user, with where the request came from; without one the system itself, as in dev mode.

    The address is the connection's: the server in front of Django has resolved trusted proxies.
    """
    user = getattr(request, "user", None)
    if isinstance(user, User):
        return actor_from(request, ActorKind.USER, str(user.id), user.email)
    return actor_from(request, SYSTEM.kind, SYSTEM.id, SYSTEM.label)


def actor_from(request: HttpRequest, kind: ActorKind, id: str, label: str) -> Actor:  # noqa: A002
    """Somebody else than a user, such as a key, behind this request."""
    return Actor(
        kind,
        id,
        label,
        ip=request.META.get("REMOTE_ADDR") or None,
        user_agent=request.headers.get("User-Agent", ""),
        request_id=_request_id(request),
    )


def _request_id(request: HttpRequest) -> str:
    """What the middleware gave the request, or what a proxy sent; anything unusual is dropped."""
    text = getattr(request, "request_id", "") or request.headers.get("X-Request-Id", "")
    return text if _REQUEST_ID.fullmatch(text) else ""
