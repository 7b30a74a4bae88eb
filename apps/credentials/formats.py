"""How credentials look (spec 05, 2.1 to 2.3). Pure: no database, no settings."""

import hashlib
import re
import secrets
from typing import Final

from apps.tenancy.models.environment import EnvironmentType

API_KEY_PREFIX: Final = "sk-inn-api-"
TOKEN_PREFIX: Final = "sk-inn-pat-"  # noqa: S105 the beginning that all tokens share
EVENT_KEY_BYTES: Final = 64
SHOWN_OF_EVENT_KEY: Final = 7

_SIGNING_PREFIX = re.compile(r"signkey-\w+-", re.ASCII | re.IGNORECASE)
_HASH = re.compile(r"[0-9a-f]{64}")
_EVENT_KEY = re.compile(r"[A-Za-z0-9_-]{86}")
_SECRET = re.compile(
    rf"signkey-|{API_KEY_PREFIX}|{TOKEN_PREFIX}|[A-Za-z0-9_-]{{86}}|[0-9a-f]{{32}}", re.IGNORECASE
)
_SIGNING_KINDS: Final = {
    EnvironmentType.PRODUCTION: "prod",
    EnvironmentType.TEST: "test",
    EnvironmentType.BRANCH_PARENT: "branch",
}


def new_event_key() -> str:
    """86 characters of URL-safe base64."""
    return secrets.token_urlsafe(EVENT_KEY_BYTES)


def new_signing_key(environment_type: EnvironmentType) -> str:
    """`signkey-<kind>-` and 64 hex digits. Raises KeyError for a branch, which has no key of its own."""
    return f"signkey-{_SIGNING_KINDS[environment_type]}-{secrets.token_hex(32)}"


def new_api_key() -> str:
    return API_KEY_PREFIX + secrets.token_urlsafe(32)


def new_token() -> str:
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def event_key_prefix(value: str) -> str:
    return value[:SHOWN_OF_EVENT_KEY]


def signing_key_prefix(value: str) -> str:
    """`signkey-prod-`, which is all that is shown of it."""
    match = _SIGNING_PREFIX.match(value)
    return match.group() if match else ""


def secret_preview(value: str) -> str:
    """The prefix of an API key or token, and four characters more."""
    for prefix in (API_KEY_PREFIX, TOKEN_PREFIX):
        if value.startswith(prefix):
            return value[: len(prefix) + 4]
    return ""


def bearer_hash(signing_key: str) -> str:
    """SHA-256 of the hex-decoded key, as hex: the form that all SDKs present, without prefix.

    Raises ValueError where the key is not an even number of hex digits after its prefix.
    """
    return hashlib.sha256(bytes.fromhex(_without_prefix(signing_key))).hexdigest()


def bearer_hashes(presented: str) -> list[str]:
    """The bearer hashes that a presented text may stand for: itself, and that of the key that it may be."""
    text = _without_prefix(presented).lower()
    found = [text] if _HASH.fullmatch(text) else []
    try:
        return [*found, bearer_hash(text)] if text else found
    except ValueError:
        return found


def is_event_key(presented: str) -> bool:
    """Whether it has the form of those that are made here: nothing else needs to be looked for."""
    return _EVENT_KEY.fullmatch(presented) is not None


def is_signing_key(presented: str) -> bool:
    """Whether it has the form of those that are made here, or of their hashes."""
    return _HASH.fullmatch(_without_prefix(presented).lower()) is not None


def holds_secret(text: str) -> bool:
    """Whether the text looks as if a key were in it; for texts that may be shown otherwise."""
    return _SECRET.search(text) is not None


def _without_prefix(text: str) -> str:
    match = _SIGNING_PREFIX.match(text)
    return text[match.end() :] if match else text
