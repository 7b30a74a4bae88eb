"""Keeping secrets out of the delivery log."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from apps.webhooks.incoming import REDACTED

# Signatures too: within their tolerance they are as good as a secret.
_SECRET_NAME: Final = re.compile(
    r"auth|cookie|secret|token|signature|hmac|password|api[-_]?key|credential|session", re.IGNORECASE
)


def redacted_headers(headers: Mapping[str, str], secret_names: Iterable[str] = ()) -> dict[str, str]:
    """By canonical or lower-case names alike; `secret_names` in lower case."""
    named = set(secret_names)
    return {
        name: REDACTED if name.lower() in named or _SECRET_NAME.search(name) else value
        for name, value in headers.items()
    }


def redacted_query(query: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    return {
        name: [REDACTED] if _SECRET_NAME.search(name) or name.lower() == "key" else list(values)
        for name, values in query.items()
    }
