"""Queries for events (spec 03, 6.3, 6.11 and 6.12)."""

from typing import Any

import graphene
from graphql import GraphQLError, GraphQLResolveInfo

from apps.api.graphql.context import RequestContext, context_of
from apps.api.graphql.event_lists import EventList, recent_events
from apps.api.graphql.freshness import patiently
from apps.api.graphql.inputs import EventQuery, EventsFilter, EventsQuery
from apps.api.graphql.pages import Page, size_or_default
from apps.api.graphql.scalars import ULID, parse_ulid
from apps.api.graphql.types.events import Event, EventsConnection, EventV2
from apps.api.graphql.types.wrappers import items_of
from apps.api.graphql.windows import events_filter
from apps.events import models, selectors

MAX_PAGE = 51


class EventQueries(graphene.ObjectType):
    event = graphene.Field(Event, query=EventQuery(required=True))
    events = graphene.Field(items_of(Event), query=EventsQuery(required=True))
    event_v2 = graphene.Field(EventV2, required=True, name="eventV2", event_id=ULID(required=True, name="id"))
    events_v2 = graphene.Field(
        EventsConnection,
        required=True,
        name="eventsV2",
        first=graphene.Int(required=True, default_value=40),
        after=graphene.String(),
        criteria=EventsFilter(required=True, name="filter"),
    )

    @staticmethod
    def resolve_event(root: None, info: GraphQLResolveInfo, query: dict[str, Any]) -> models.Event:
        return _event(context_of(info), parse_ulid(query["event_id"]))

    @staticmethod
    def resolve_events(root: None, info: GraphQLResolveInfo, query: dict[str, Any]) -> list[models.Event]:
        last_id = query.get("last_event_id")
        return recent_events(context_of(info), parse_ulid(last_id) if last_id else None)

    @staticmethod
    def resolve_event_v2(root: None, info: GraphQLResolveInfo, event_id: str) -> models.Event:
        return _event(context_of(info), event_id)

    @staticmethod
    def resolve_events_v2(
        root: None,
        info: GraphQLResolveInfo,
        first: int,
        criteria: dict[str, Any],
        after: str | None = None,
    ) -> Page[models.Event]:
        listing = EventList(context_of(info), events_filter(criteria), criteria.get("query"))
        return listing.page(size_or_default(first, maximum=MAX_PAGE), after)


def _event(context: RequestContext, internal_id: str) -> models.Event:
    event = patiently(lambda: selectors.event_get(context.environment_id, internal_id), internal_id)
    if event is None:
        raise GraphQLError(f"event not found: {internal_id}")
    context.saw_events([event])
    return event
