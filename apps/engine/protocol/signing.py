"""Signatures and signing keys (spec 01, chapter 3; spec 03, 2.1).

A key's text without its `signkey-<word>-` prefix is the HMAC key; it is not hex-decoded for that.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from urllib.parse import parse_qs

MAX_AGE_SECONDS = 300

_PREFIX = re.compile(r"signkey-\w+-", re.ASCII)


class SigningKeyError(ValueError):
    """The key is not an even number of hex digits after its prefix."""


def strip_prefix(key: str) -> str:
    match = _PREFIX.match(key)
    return key[match.end() :] if match else key


def hash_signing_key(key: str) -> str:
    """The form in which SDKs present a key: prefix + SHA-256 of the decoded key. Raises SigningKeyError."""
    secret = strip_prefix(key)
    try:
        decoded = bytes.fromhex(secret)
    except ValueError:
        raise SigningKeyError("signing key is not hex") from None
    return key[: len(key) - len(secret)] + hashlib.sha256(decoded).hexdigest()


def sign(key: str, body: bytes, t: int) -> str:
    """The X-Inngest-Signature of `body` (canonical, see jcs.py) at `t` in Unix seconds."""
    return f"t={t}&s={_digest(key, body, str(t))}"


def verify(header: str, body: bytes, keys: Iterable[str], now: int, max_age: int = MAX_AGE_SECONDS) -> bool:
    """Whether one of `keys` signed these exact bytes within `max_age` seconds of `now`."""
    try:
        fields = parse_qs(header, max_num_fields=8)
    except ValueError:
        return False
    t, signature = fields.get("t", [""])[0], fields.get("s", [""])[0]
    if not (t.isascii() and t.isdigit() and len(t) <= 12) or abs(now - int(t)) > max_age:
        return False
    return any(_equal(signature, _digest(key, body, t)) for key in keys)


def bearer_token(authorization: str) -> str:
    """The token of an Authorization header; empty where there is none."""
    scheme, _, token = authorization.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def bearer_matches(token: str, keys: Sequence[str]) -> bool:
    """Whether the token is one of `keys` or its hash, each with or without prefix.

    Without any configured key everything is accepted (dev mode).
    """
    configured = [key for key in keys if key]
    if not configured:
        return True
    presented = strip_prefix(token)
    return any(_equal(presented, accepted) for key in configured for accepted in _accepted_forms(key))


@lru_cache(maxsize=64)
def _accepted_forms(key: str) -> tuple[str, str]:
    return strip_prefix(key), strip_prefix(hash_signing_key(key))


def _digest(key: str, body: bytes, t: str) -> str:
    return hmac.new(strip_prefix(key).encode(), body + t.encode(), hashlib.sha256).hexdigest()


def _equal(presented: str, expected: str) -> bool:
    return hmac.compare_digest(presented.encode(errors="replace"), expected.encode())
