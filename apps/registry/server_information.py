"""What `GET /dev` tells about this server (spec 01 12.2, spec 03 7.2). No secrets, no addresses of stores."""

from importlib.metadata import PackageNotFoundError, version
from uuid import UUID

from django.conf import settings

from apps.registry import selectors
from apps.registry.stored_config import stored_config

_NANOSECONDS_PER_MS = 1_000_000
# The reference's queue interval: nothing here waits for it, clients only display it.
_TICK_MS = 150


def server_information(environment_id: UUID) -> dict[str, object]:
    return {
        "version": server_version(),
        "authed": False,
        "startOpts": _start_options(),
        "functions": [stored_config(row) for row in selectors.configured_functions(environment_id)],
        "handlers": None,
        "isSingleNodeService": settings.STEPWELL_MODE != "dev",
        "isMissingSigningKey": not settings.STEPWELL_SIGNING_KEY,
        "isMissingEventKeys": not settings.STEPWELL_EVENT_KEYS,
        "features": {},
    }


def _start_options() -> dict[str, object]:
    return {
        "dir": str(settings.BASE_DIR),
        "urls": list(settings.STEPWELL_SDK_URLS),
        "autodiscover": settings.STEPWELL_DISCOVERY,
        "poll": settings.STEPWELL_POLL,
        "poll_interval": settings.STEPWELL_POLL_INTERVAL,
        "tick": _TICK_MS * _NANOSECONDS_PER_MS,
        "retry_interval": settings.STEPWELL_RETRY_INTERVAL_SECONDS,
        "queue_workers": settings.STEPWELL_WORKER_CONCURRENCY,
    }


def server_version() -> str:
    """As it is installed."""
    try:
        return version("stepwell")
    except PackageNotFoundError:
        return "dev-source"
