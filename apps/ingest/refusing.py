"""What is noted of a request that the event path refuses (apps/refusals)."""

import re

from apps.credentials import formats
from apps.ingest.options import IngestOptions
from apps.ingest.responses import Reply
from apps.refusals.refusal import HIDDEN, UNKNOWN, Face, Refusal, key_end, refusal

_SLUG = re.compile(r"[A-Za-z0-9_.-]{1,128}")


def refused_event(method: str, key: str, reply: Reply) -> tuple[Refusal, str]:
    """The refusal, and the end of the key if that is not known; `key` is all that follows `/e/`."""
    noted = refusal(
        Face.EVENTS,
        method=method,
        path=f"/e/{HIDDEN if key else ''}",
        status=reply.status,
        error=reply.error,
        env_id=reply.env_id,
    )
    return noted, key_end(key) if reply.status == 401 else ""


def refused_invocation(
    options: IngestOptions, method: str, slug: str, token: str, reply: Reply
) -> tuple[Refusal, str]:
    """As `refused_event`. The function's slug is kept of a caller who is known: it says whose call it was."""
    is_shown = reply.env_id != UNKNOWN and _SLUG.fullmatch(slug) and not _is_key(options, slug)
    noted = refusal(
        Face.INVOKE,
        method=method,
        path=f"/invoke/{slug if is_shown or not slug else HIDDEN}",
        status=reply.status,
        error=reply.error,
        env_id=reply.env_id,
    )
    return noted, key_end(token) if reply.status == 401 else ""


def _is_key(options: IngestOptions, text: str) -> bool:
    """Whether the text may be a secret; dev mode has none."""
    if options.mode == "dev":
        return False
    return text in options.event_keys or text in _plain(options) or formats.holds_secret(text)


def _plain(options: IngestOptions) -> list[str]:
    """Each form of the configured signing keys that has no prefix by which it is recognised."""
    bare = [key.rpartition("-")[2] for key in options.signing_keys]
    return [*bare, *(formats.bearer_hash(key) for key in options.signing_keys)]
