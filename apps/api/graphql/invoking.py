"""Starting a function by an invocation event (spec 03, 3.4 and 6.15)."""

from collections.abc import Mapping
from typing import Final

import msgspec
from django.conf import settings
from graphql import GraphQLError

from apps.api.graphql.context import RequestContext
from apps.audit.changes import Target
from apps.audit.models import ActorKind
from apps.engine import bridge, clock
from apps.engine.event_stream import EventContext, EventEntry, Sender
from apps.engine.protocol.event_errors import EventRejected
from apps.engine.protocol.events import parse_invocation

_META_KEY: Final = "sessions"
# In dev mode nobody says who asks.
_SENDERS: Final = {ActorKind.USER: Sender.DASHBOARD, ActorKind.SYSTEM: ""}


def invoke(
    context: RequestContext,
    slug: str,
    *,
    data: Mapping[str, object] | None,
    user: Mapping[str, object] | None,
    meta: Mapping[str, object] | None,
) -> str:
    """Append the event that starts the function of this slug, known or not; returns the event's id.

    Raises GraphQLError for an event that is not acceptable.
    """
    _check_meta(meta or {})
    members = {"data": data, "user": user, "meta": meta}
    body = msgspec.json.encode({name: value for name, value in members.items() if value is not None})
    entry = _entry(context, slug, body)
    bridge.engine_call(lambda engine: engine.append_events([entry]))
    context.audit("function.invoke", Target("function", slug, slug), {"event": entry.internal_id})
    return entry.internal_id


def _check_meta(meta: Mapping[str, object]) -> None:
    for key in meta:
        if key != _META_KEY:
            raise GraphQLError(f'event meta "{key}" is not supported')


def _entry(context: RequestContext, slug: str, body: bytes) -> EventEntry:
    try:
        event = parse_invocation(
            body, slug, received_ms=clock.now_ms(), max_bytes=settings.STEPWELL_EVENT_MAX_BYTES, seed=None
        )
    except EventRejected as error:
        raise GraphQLError(str(error)) from error
    return EventEntry(
        event.internal_id,
        str(context.environment_id),
        str(context.account_id),
        event.name,
        event.body,
        EventContext(function_id=slug, source="invoke"),
        sender=_SENDERS.get(context.actor.kind, Sender.API),
    )
