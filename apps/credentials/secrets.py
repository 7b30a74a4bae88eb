"""What is kept of a credential: a keyed hash to find it by, and a ciphertext where people may see it again.

Both keys follow from STEPWELL_ENCRYPTION_KEYS, or from SECRET_KEY and SECRET_KEY_FALLBACKS where that is not
set. The first of them makes; all of them find and read, so a new one is put in front of the old ones. Once
`manage.py rekey` has run, these are needed only for API keys and tokens, which are kept as hashes.
"""

import base64
import hashlib
import hmac
from functools import lru_cache
from typing import NamedTuple

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

_LOOKUP = b"stepwell credential lookup"
_ENCRYPTION = b"stepwell credential encryption"


class SecretUnreadable(Exception):
    """None of this server's encryption keys has encrypted the value."""


class _Keys(NamedTuple):
    lookup: tuple[bytes, ...]
    fernet: MultiFernet


def keyed_hash(value: str) -> str:
    """HMAC-SHA256 of the value, as hex: what a new row is found by."""
    return _digest(_keys().lookup[0], value)


def keyed_hashes(value: str) -> list[str]:
    """One for each key of the server: what a row may have been stored under."""
    return [_digest(key, value) for key in _keys().lookup]


def encrypt(value: str) -> str:
    return _keys().fernet.encrypt(value.encode()).decode()


def decrypt(ciphertext: str) -> str:
    """Raises SecretUnreadable."""
    try:
        return _keys().fernet.decrypt(ciphertext.encode()).decode()
    except InvalidToken:
        raise SecretUnreadable("the value was encrypted with another key") from None


def _digest(key: bytes, value: str) -> str:
    return hmac.digest(key, value.encode(errors="replace"), "sha256").hex()


def _keys() -> _Keys:
    own = tuple(settings.STEPWELL_ENCRYPTION_KEYS)
    return _derive(own or (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


@lru_cache(maxsize=8)
def _derive(roots: tuple[str, ...]) -> _Keys:
    fernets = [Fernet(base64.urlsafe_b64encode(_derived(root, _ENCRYPTION))) for root in roots]
    return _Keys(tuple(_derived(root, _LOOKUP) for root in roots), MultiFernet(fernets))


def _derived(root: str, purpose: bytes) -> bytes:
    return hmac.digest(hashlib.sha256(root.encode()).digest(), purpose, "sha256")
