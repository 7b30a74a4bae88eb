"""Who may send events, and for which environment (spec 03, 2.3)."""

import hmac
from typing import NamedTuple

from apps.engine.protocol.signing import bearer_matches
from apps.ingest.options import IngestOptions
from apps.tenancy.models import DEV_ACCOUNT_ID, DEV_ENVIRONMENT_ID


class Tenant(NamedTuple):
    env_id: str
    account_id: str


class Refusal(NamedTuple):
    status: int
    error: str


_TENANT = Tenant(str(DEV_ENVIRONMENT_ID), str(DEV_ACCOUNT_ID))
_KEY_REQUIRED = Refusal(401, "Event key is required")
_KEY_UNKNOWN = Refusal(401, "Event key not found")
_NO_KEYS = Refusal(503, "Event keys are required to process events securely")


class Credentials:
    """Resolves what a sender presents; in dev mode any event key will do, and invoking needs none."""

    def __init__(self, options: IngestOptions) -> None:
        self._is_open = options.mode == "dev"
        self._event_keys = tuple(key.encode() for key in options.event_keys)
        self._signing_keys = options.signing_keys

    def resolve_event_key(self, key: str) -> Tenant | Refusal:
        if not self._is_open and not self._event_keys:
            return _NO_KEYS
        if not key:
            return _KEY_REQUIRED
        return _TENANT if self._is_open or self._is_event_key(key) else _KEY_UNKNOWN

    def resolve_bearer(self, token: str) -> Tenant | None:
        """The tenant of a signing key, its hash, or an event key; None: not authenticated."""
        if self._is_open or self._is_event_key(token):
            return _TENANT
        if self._signing_keys and bearer_matches(token, self._signing_keys):
            return _TENANT
        return None

    def is_key(self, text: str) -> bool:
        """Whether the text is a secret of this server; in dev mode there is none."""
        return not self._is_open and self.resolve_bearer(text) is not None

    def _is_event_key(self, presented: str) -> bool:
        encoded = presented.encode(errors="replace")
        return any(hmac.compare_digest(encoded, key) for key in self._event_keys)
