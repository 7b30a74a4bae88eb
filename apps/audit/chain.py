"""The hash of an entry: SHA-256 over its fields and the hash of the one before, as canonical JSON.

What is hashed reads back equal from both databases: times in UTC with microseconds, addresses in one
spelling, texts without NUL, and no fractions in `before` and `after`.
"""

import hashlib
import ipaddress
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from apps.audit.models import AuditEntry

# The action of a checkpoint (apps/audit/retention.py).
TRIM = "audit.trim"

_TEXTS = (
    *("actor_kind", "actor_id", "actor_label", "user_agent", "action"),
    *("target_type", "target_id", "target_label", "request_id", "previous_hash"),
)


def entry_hash(entry: AuditEntry) -> str:
    """64 hex digits, over everything but `hash` itself."""
    fields: dict[str, Any] = {name: str(getattr(entry, name)) for name in _TEXTS}
    fields |= {
        "id": str(entry.id),
        "account_id": str(entry.account_id),
        "environment_id": str(entry.environment_id or ""),
        "number": entry.number,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "ip": canonical_ip(entry.ip) or "",
        "before": entry.before,
        "after": entry.after,
        "is_success": entry.is_success,
    }
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def canonical_ip(text: str | None) -> str | None:
    """The address in its one spelling, IPv4 also where it came mapped; None for what is no address."""
    try:
        address = ipaddress.ip_address(text or "")
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def plain_text(text: str, length: int) -> str:
    """The text as a column of `length` characters holds it."""
    return text.replace("\x00", "")[:length]


def plain_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as JSON that both databases give back alike. Raises TypeError for what is none."""
    return {plain_text(str(key), 200): _plain(value) for key, value in values.items()}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str):
        return str(value).replace("\x00", "")
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return plain_values(value)
    if isinstance(value, list | tuple):
        return [_plain(child) for child in value]
    raise TypeError(f"an entry of the audit log cannot hold a {type(value).__name__}")
