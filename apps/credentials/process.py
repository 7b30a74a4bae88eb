"""The resolver of this process, made from the settings."""

from functools import lru_cache

from django.conf import settings
from django.db import close_old_connections

from apps.credentials.configured import ConfiguredDirectory
from apps.credentials.database import DatabaseDirectory
from apps.credentials.resolution import CredentialResolver


def process_resolver() -> CredentialResolver:
    """One for all faces of the process; another where the settings have changed, as they do in tests."""
    signing_keys = (settings.STEPWELL_SIGNING_KEY, settings.STEPWELL_SIGNING_KEY_FALLBACK)
    return _resolver(
        settings.STEPWELL_MODE == "dev",
        tuple(settings.STEPWELL_EVENT_KEYS),
        tuple(key for key in signing_keys if key),
    )


@lru_cache(maxsize=4)
def _resolver(
    is_open: bool, event_keys: tuple[str, ...], signing_keys: tuple[str, ...]
) -> CredentialResolver:
    directory = ConfiguredDirectory(event_keys, signing_keys, DatabaseDirectory())
    return CredentialResolver(directory, is_open=is_open, prepare=close_old_connections)


def forget_resolvers() -> None:
    """For tests, whose databases are not those of the tests before."""
    _resolver.cache_clear()
