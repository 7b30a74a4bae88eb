"""What is noted of a request that the event path refuses (apps/refusals)."""

import re

from apps.ingest.keys import Credentials
from apps.ingest.keys import Refusal as KeyRefusal
from apps.ingest.responses import Reply
from apps.refusals.refusal import HIDDEN, UNKNOWN, Face, Refusal, key_end, refusal

_SLUG = re.compile(r"[A-Za-z0-9_.-]{1,128}")
# Answers that come before, or instead of, a look at the caller's key.
_ABOUT_NO_CALLER = (404, 405)


def refused_event(credentials: Credentials, method: str, key: str, reply: Reply) -> tuple[Refusal, str]:
    """The refusal, and the end of the key if that is not known; `key` is all that follows `/e/`."""
    tenant = None if reply.status in _ABOUT_NO_CALLER else credentials.resolve_event_key(key)
    env_id = UNKNOWN if tenant is None or isinstance(tenant, KeyRefusal) else tenant.env_id
    noted = refusal(
        Face.EVENTS,
        method=method,
        path=f"/e/{HIDDEN if key else ''}",
        status=reply.status,
        error=reply.error,
        env_id=env_id,
    )
    return noted, key_end(key) if reply.status == 401 else ""


def refused_invocation(
    credentials: Credentials, method: str, slug: str, token: str, reply: Reply
) -> tuple[Refusal, str]:
    """As `refused_event`. The function's slug is kept of a caller who is known: it says whose call it was."""
    tenant = None if reply.status in _ABOUT_NO_CALLER else credentials.resolve_bearer(token)
    is_shown = tenant is not None and _SLUG.fullmatch(slug) and not credentials.is_key(slug)
    noted = refusal(
        Face.INVOKE,
        method=method,
        path=f"/invoke/{slug if is_shown or not slug else HIDDEN}",
        status=reply.status,
        error=reply.error,
        env_id=tenant.env_id if tenant else UNKNOWN,
    )
    return noted, key_end(token) if reply.status == 401 else ""
