"""Where an event came from, in one word (spec 03, 4.3)."""

from typing import Final

from apps.events.models import Event

PLATFORM: Final = "platform"
# What the server makes itself; an invocation by another credential or person says so in `origin`.
_OWN_SOURCES: Final = frozenset({"cron", "engine", "invoke", "rerun"})


def origin_of(event: Event) -> str:
    """One of `Sender`, `platform`, or empty where it is not known, as for events without a credential."""
    return event.origin or (PLATFORM if event.source in _OWN_SOURCES else "")
