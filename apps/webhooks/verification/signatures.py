"""The arithmetic of signatures: all comparisons take the same time whatever is compared."""

import base64
import binascii
import hmac
from collections.abc import Iterable


def hex_hmac(key: bytes, message: bytes, algorithm: str = "sha256") -> str:
    return hmac.digest(key, message, algorithm).hex()


def base64_hmac(key: bytes, message: bytes, algorithm: str = "sha256") -> str:
    return base64.b64encode(hmac.digest(key, message, algorithm)).decode()


def matches(expected: str, presented: Iterable[str]) -> bool:
    """Whether one of the presented texts is the expected one."""
    wanted = expected.encode()
    found = [hmac.compare_digest(wanted, one.encode(errors="replace")) for one in presented]
    return any(found)


def base64_bytes(text: str) -> bytes | None:
    """None where the text is not base64."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
