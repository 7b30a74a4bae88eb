"""Sending events and invoking functions from the dashboard: the same parsing as the event API."""

from uuid import UUID

import msgspec
from django.conf import settings

from apps.engine import bridge, clock
from apps.engine.event_stream import EventContext, EventEntry, Sender
from apps.engine.protocol.events import AcceptedEvent, parse_events, parse_invocation
from apps.engine.protocol.raw_json import NOT_JSON
from apps.tenancy.models import Environment


class NothingToSend(ValueError):
    """The editor was empty."""


def events_send(environment: Environment, body: str) -> list[AcceptedEvent]:
    """Accept what the editor holds, all of it or nothing.

    Raises EventRejected (in ValueError) naming the field, NothingToSend, RedisUnavailable.
    """
    parsed = parse_events(body.encode(), received_ms=clock.now_ms(), max_bytes=_max_bytes(), seed=None)
    if parsed.error:
        raise ValueError(_numbered(parsed.error, len(parsed.accepted)))
    if not parsed.accepted:
        raise NothingToSend("Enter an event: a JSON object with a name.")
    _append(environment, [(event, EventContext(remember=event.has_own_id)) for event in parsed.accepted])
    return parsed.accepted


def function_invoke(environment: Environment, function_id: UUID, slug: str, data: str) -> AcceptedEvent:
    """Start one function with `data`, a JSON object; an empty text is an empty one.

    Raises ValueError for other data, RedisUnavailable.
    """
    body = b'{"data":%b}' % _object(data)
    event = parse_invocation(body, slug, received_ms=clock.now_ms(), max_bytes=_max_bytes(), seed=None)
    _append(environment, [(event, EventContext(function_id=str(function_id), source="invoke"))])
    return event


def _object(text: str) -> bytes:
    raw = text.strip().encode() or b"{}"
    try:
        msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    except NOT_JSON as problem:
        raise ValueError(f"data: {problem}") from None
    return raw


def _append(environment: Environment, events: list[tuple[AcceptedEvent, EventContext]]) -> None:
    entries = [
        EventEntry(
            internal_id=event.internal_id,
            env_id=str(environment.id),
            account_id=str(environment.account_id),
            name=event.name,
            body=event.body,
            context=context,
            sender=Sender.DASHBOARD,
        )
        for event, context in events
    ]
    bridge.engine_call(lambda engine: engine.append_events(entries))


def _max_bytes() -> int:
    limit: int = settings.STEPWELL_EVENT_MAX_BYTES
    return limit


def _numbered(error: str, accepted_before: int) -> str:
    return f"Event {accepted_before + 1}: {error}" if accepted_before else error
