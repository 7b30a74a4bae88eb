"""The registry's view of the settings: how this server presents itself and what it allows."""

from functools import lru_cache

from django.conf import settings

from apps.engine.calls.addresses import AddressPolicy
from apps.registry.services.syncing import SyncPolicy
from apps.registry.validation import Limits
from apps.registry.validation.sdk_versions import SdkRule, parse_rule


def server_kind() -> str:
    """The value of X-Inngest-Server-Kind (spec 01 2.3)."""
    return "dev" if settings.STEPWELL_MODE == "dev" else "cloud"


def signing_keys() -> list[str]:
    """The keys that authenticate SDKs, the one that signs first; empty when none is configured."""
    keys = (settings.STEPWELL_SIGNING_KEY, settings.STEPWELL_SIGNING_KEY_FALLBACK)
    return [key for key in keys if key]


def address_policy() -> AddressPolicy:
    return AddressPolicy(allow_private=settings.STEPWELL_ALLOW_PRIVATE_NETWORKS)


def sync_policy() -> SyncPolicy:
    limits = Limits(batch_size=settings.STEPWELL_BATCH_MAX_SIZE)
    return SyncPolicy(limits, _denied_sdks(tuple(settings.STEPWELL_DENIED_SDK_VERSIONS)))


@lru_cache(maxsize=8)
def _denied_sdks(rules: tuple[str, ...]) -> tuple[SdkRule, ...]:
    return tuple(parse_rule(rule) for rule in rules)
