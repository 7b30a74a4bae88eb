"""Checks of keys and secrets before a process starts (spec 03 2.6)."""

from django.core.exceptions import ImproperlyConfigured

from apps.devserver.values import check_signing_key

__all__ = ("check_signing_key",)

DEVELOPMENT_SECRET_KEY = "insecure-development-key"
ENTITLEMENTS = frozenset(
    {
        "event_bytes",
        "ingest_per_second",
        "environments",
        "branch_environments",
        "branches_per_hour",
        "event_keys",
        "api_keys",
        "webhooks",
        "users",
        "audit_days",
    }
)
MIN_ENCRYPTION_KEY_LENGTH = 32


def check_encryption_keys(keys: list[str]) -> None:
    if any(len(key) < MIN_ENCRYPTION_KEY_LENGTH for key in keys):
        raise ImproperlyConfigured(
            f"Each of STEPWELL_ENCRYPTION_KEYS must have at least {MIN_ENCRYPTION_KEY_LENGTH} characters"
        )


def check_key_pair(signing_key: str, event_keys: list[str]) -> None:
    """Keys of the environment come together; without any, those of the database count."""
    if signing_key and not event_keys:
        raise ImproperlyConfigured("STEPWELL_EVENT_KEYS needs at least one key beside STEPWELL_SIGNING_KEY")
    if event_keys and not signing_key:
        raise ImproperlyConfigured("STEPWELL_SIGNING_KEY is required beside STEPWELL_EVENT_KEYS")


def refuse_development_values(secret_key: str, debug: bool, allowed_hosts: list[str]) -> None:
    """What production never runs with."""
    if debug:
        raise ImproperlyConfigured("DEBUG must be off in production")
    if secret_key in ("", DEVELOPMENT_SECRET_KEY) or len(secret_key) < 32:
        raise ImproperlyConfigured("STEPWELL_SECRET_KEY must be a secret of at least 32 characters")
    if not allowed_hosts or "*" in allowed_hosts:
        raise ImproperlyConfigured("STEPWELL_ALLOWED_HOSTS must name the hosts that this server answers to")
