"""What the page of an event says about where it came from."""

from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from apps.credentials.models import EventKey, KeySource
from apps.credentials.selectors import sender_by_id
from apps.engine.event_stream import Sender
from apps.events.models import Event

_SOURCES: Final = {
    "api": "Event API",
    "webhook": "Webhook",
    "invoke": "Invoke",
    "cron": "Schedule",
    "engine": "Stepwell",
    "rerun": "Rerun",
}
_SENDERS: Final = {
    Sender.KEY: "Event key",
    Sender.WEBHOOK: "Webhook",
    Sender.API: "API",
    Sender.DASHBOARD: "Dashboard",
}
_INVOKERS: Final = {
    Sender.KEY: "Invoke with the event key",
    Sender.API: "Invoke by API",
    Sender.DASHBOARD: "Invoke from the dashboard",
}


@dataclass(frozen=True, slots=True)
class EventSource:
    """`name` is that of the key or webhook, as long as there is one; `url` leads to it."""

    label: str
    name: str = ""
    url: str = ""


def event_source(event: Event) -> EventSource:
    key = sender_by_id(event.environment_id, event.origin_id) if event.origin_id else None
    label = _label(event)
    return EventSource(label, key.name, _url(key)) if key else EventSource(label)


def _label(event: Event) -> str:
    names = _INVOKERS if event.source == "invoke" else _SENDERS
    known = names.get(Sender(event.origin)) if event.origin else None
    return known or _SOURCES.get(event.source, event.source)


def _url(key: EventKey) -> str:
    """Dev mode has no pages of keys; what is revoked has none either."""
    has_ended = key.revoked_at is not None and key.revoked_at <= timezone.now()
    if settings.STEPWELL_MODE == "dev" or has_ended:
        return ""
    page = "webhook" if key.source == KeySource.WEBHOOK else "event-key"
    return reverse(f"dashboard:{page}", args=[key.id])
