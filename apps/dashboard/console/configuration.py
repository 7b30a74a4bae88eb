"""The settings on the console's overview. A secret is said to be set or not, and never shown."""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings

# What may be read; a setting that is not named here is not shown.
SHOWN: Final = (
    *("STEPWELL_MODE", "STEPWELL_BASE_URL", "STEPWELL_ROLES", "STEPWELL_SHARD", "ALLOWED_HOSTS"),
    *("STEPWELL_TRUSTED_PROXIES", "STEPWELL_ALLOW_PRIVATE_NETWORKS", "STEPWELL_SIGN_UP"),
    *("STEPWELL_WORKER_CONCURRENCY", "STEPWELL_ACCOUNT_CONCURRENCY", "STEPWELL_LEASE_SECONDS"),
    *("STEPWELL_DRAIN_SECONDS", "STEPWELL_EVENT_MAX_BYTES", "STEPWELL_RATE_LIMIT_MODE"),
    *("STEPWELL_PRIORITY_SECONDS", "STEPWELL_TRANSFORM_WORKERS", "STEPWELL_ENTITLEMENTS"),
    *("SESSION_COOKIE_AGE", "DEFAULT_FROM_EMAIL", "LOG_LEVEL", "STEPWELL_LOG_FORMAT", "DEBUG"),
)
SECRET: Final = (
    *("SECRET_KEY", "STEPWELL_ENCRYPTION_KEYS", "STEPWELL_SIGNING_KEY", "STEPWELL_SIGNING_KEY_FALLBACK"),
    *("STEPWELL_EVENT_KEYS", "STEPWELL_METRICS_TOKEN", "EMAIL_URL"),
)
ADDRESSES: Final = ("DATABASE_URL", "REDIS_URL")


@dataclass(frozen=True, slots=True)
class Setting:
    name: str
    value: str
    is_secret: bool = False


def configuration() -> list[Setting]:
    shown = [Setting(name, _text(getattr(settings, name))) for name in SHOWN]
    addresses = [Setting(name, address_of(getattr(settings, name))) for name in ADDRESSES]
    return [*shown, *addresses, *(Setting(name, _secret(getattr(settings, name)), True) for name in SECRET)]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {limit}" for name, limit in sorted(value.items())) or "none"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "none"
    return str(value) or "none"


def _secret(value: str | list[str] | tuple[str, ...]) -> str:
    if not value:
        return "not set"
    return "set" if isinstance(value, str) else f"{len(value)} set"


def address_of(url: str) -> str:
    """Where a store is, without who signs in there and how."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"
