"""Keys that are those of webhooks: apps/webhooks answers, which stands beside this app."""

from typing import Final, Protocol

from apps.credentials.caller import Caller, CredentialKind
from apps.credentials.formats import EVENT_KEY_BYTES
from apps.ingest.asgi_types import Receive, Scope
from apps.ingest.responses import Reply

# Base64 without padding.
KEY_LENGTH: Final = (EVENT_KEY_BYTES * 4 + 2) // 3


class Webhooks(Protocol):
    async def reply(self, scope: Scope, receive: Receive, *, caller: Caller, key: str) -> Reply | None:
        """The answer; None where the key is not that of a webhook, and nothing of the body was read."""


def may_be_webhook(caller: Caller, key: str) -> bool:
    """In dev mode, where all callers are one, the key's length tells whether to look."""
    if caller.kind == CredentialKind.NONE:
        return len(key) == KEY_LENGTH
    return caller.kind == CredentialKind.WEBHOOK
