"""What the event path needs to know of the settings, as plain values."""

from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True, slots=True)
class IngestOptions:
    """`mode` is dev or server; sizes are bytes; `event_keys` and `signing_keys` bind in server mode only."""

    mode: str
    redis_url: str
    shard: str
    max_event_bytes: int
    max_body_bytes: int
    event_keys: tuple[str, ...] = ()
    signing_keys: tuple[str, ...] = ()

    @property
    def server_kind(self) -> str:
        """The value of X-Inngest-Server-Kind (spec 03, 1.3)."""
        return "dev" if self.mode == "dev" else "cloud"


def options_from_settings() -> IngestOptions:
    signing_keys = (settings.STEPWELL_SIGNING_KEY, settings.STEPWELL_SIGNING_KEY_FALLBACK)
    return IngestOptions(
        mode=settings.STEPWELL_MODE,
        redis_url=settings.REDIS_URL,
        shard=settings.STEPWELL_SHARD,
        max_event_bytes=settings.STEPWELL_EVENT_MAX_BYTES,
        max_body_bytes=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
        event_keys=tuple(settings.STEPWELL_EVENT_KEYS),
        signing_keys=tuple(key for key in signing_keys if key),
    )
