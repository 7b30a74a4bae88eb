"""Keeping secrets out of entries. Callers leave them out; this is the net below them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings

from apps.audit.exceptions import SecretInEntry

REDACTED = "[redacted]"

_SECRET_WORDS = frozenset(
    {"secret", "password", "passphrase", "token", "plaintext", "encrypted", "hash", "bearer", "cookie"}
    | {"private", "credential", "authorization"}
)
_SECRET_NAMES = frozenset({"key", "value", "api_key", "event_key", "signing_key"})
_SECRET_VALUE = re.compile(r"signkey-\w+-[0-9a-f]{8}")


def without_secrets(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, those of keys that are named like a secret redacted, at any depth.

    Raises SecretInEntry instead where STEPWELL_AUDIT_STRICT is set, as in tests: the caller is wrong then.
    """
    found = next(_secret_paths(values, ""), None)
    if found is None:
        return dict(values)
    if settings.STEPWELL_AUDIT_STRICT:
        raise SecretInEntry(f"{found} looks like a secret, which an entry of the audit log must not hold")
    return {key: _redact(key, value) for key, value in values.items()}


def _is_secret(key: str, value: object) -> bool:
    """Booleans and nothing tell no secret: `has_password` may be said."""
    if value is None or isinstance(value, bool):
        return False
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).lower().replace("-", "_")
    if name in _SECRET_NAMES or not _SECRET_WORDS.isdisjoint(name.split("_")):
        return True
    return isinstance(value, str) and _SECRET_VALUE.search(value) is not None


def _children(value: object) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [(str(key), child) for key, child in value.items()]
    if isinstance(value, list | tuple):
        return [("", child) for child in value]
    return []


def _secret_paths(value: object, path: str) -> Iterator[str]:
    for key, child in _children(value):
        where = f"{path}.{key}".strip(".")
        if _is_secret(key, child):
            yield where
        else:
            yield from _secret_paths(child, where)


def _redact(key: str, value: Any) -> Any:
    if _is_secret(key, value):
        return REDACTED
    if isinstance(value, Mapping):
        return {str(name): _redact(str(name), child) for name, child in value.items()}
    if isinstance(value, list | tuple):
        return [_redact("", child) for child in value]
    return value
