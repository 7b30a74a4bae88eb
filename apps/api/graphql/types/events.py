"""Events in the current and in the legacy shape (spec 03, 6.11 and 6.12)."""

import uuid

import graphene
from graphql import GraphQLError, GraphQLResolveInfo

from apps.api.graphql.context import context_of
from apps.api.graphql.enums import EventStatus
from apps.api.graphql.event_bodies import event_data, event_version
from apps.api.graphql.pages import Page
from apps.api.graphql.scalars import ULID, UUID, Time
from apps.api.graphql.statuses import event_status, without_skipped
from apps.api.graphql.types.common import PageInfo, Workspace
from apps.api.graphql.types.wrappers import items_of, list_of
from apps.events import models
from apps.runs.models import Run


def body_of(event: models.Event, info: GraphQLResolveInfo) -> str:
    """JSON text of the event. Raises GraphQLError when it is not stored any more."""
    body = context_of(info).event_bodies.get(event.key)
    if body is None:
        raise GraphQLError(f"the payload of event {event.internal_id} is not stored")
    return body


def runs_of(event: models.Event, info: GraphQLResolveInfo) -> list[Run]:
    return context_of(info).event_runs.get(event.internal_id) or []


class EventSource(graphene.ObjectType):
    """Where an event came from."""

    id = graphene.ID(required=True)
    name = graphene.String()
    source_kind = graphene.String(required=True)


class EventV2(graphene.ObjectType):
    """Event in the current shape."""

    env_id = graphene.Field(UUID, required=True, name="envID")
    id = graphene.Field(ULID, required=True)
    idempotency_key = graphene.String()
    name = graphene.String(required=True)
    occurred_at = graphene.Field(Time, required=True)
    raw = graphene.String(required=True)
    received_at = graphene.Field(Time, required=True)
    runs = graphene.Field(list_of("apps.api.graphql.types.runs.FunctionRunV2"))
    source = graphene.Field(EventSource)
    version = graphene.String()

    @staticmethod
    def resolve_env_id(event: models.Event, info: GraphQLResolveInfo) -> uuid.UUID:
        return event.environment_id

    @staticmethod
    def resolve_id(event: models.Event, info: GraphQLResolveInfo) -> str:
        return event.internal_id

    @staticmethod
    def resolve_idempotency_key(event: models.Event, info: GraphQLResolveInfo) -> str:
        return event.external_id

    @staticmethod
    def resolve_occurred_at(event: models.Event, info: GraphQLResolveInfo) -> int:
        return event.ts

    @staticmethod
    def resolve_raw(event: models.Event, info: GraphQLResolveInfo) -> str:
        return body_of(event, info)

    @staticmethod
    def resolve_runs(event: models.Event, info: GraphQLResolveInfo) -> list[Run]:
        return runs_of(event, info)

    @staticmethod
    def resolve_source(event: models.Event, info: GraphQLResolveInfo) -> None:
        return None

    @staticmethod
    def resolve_version(event: models.Event, info: GraphQLResolveInfo) -> str:
        return event_version(body_of(event, info))


class EventsEdge(graphene.ObjectType):
    """Event with its cursor."""

    node = graphene.Field(EventV2, required=True)
    cursor = graphene.String(required=True)


class EventsConnection(graphene.ObjectType):
    """Page of events."""

    edges = graphene.Field(list_of(EventsEdge))
    page_info = graphene.Field(PageInfo, required=True)
    total_count = graphene.Int(required=True)

    @staticmethod
    def resolve_total_count(page: Page[models.Event], info: GraphQLResolveInfo) -> int:
        return page.count()


class Event(graphene.ObjectType):
    """Event in the legacy shape; skipped runs do not count."""

    id = graphene.Field(ULID, required=True)
    external_id = graphene.String(name="externalID")
    workspace = graphene.Field(Workspace)
    name = graphene.String()
    created_at = graphene.Field(Time)
    payload = graphene.String()
    schema = graphene.String()
    status = graphene.Field(EventStatus)
    pending_runs = graphene.Int()
    total_runs = graphene.Int()
    raw = graphene.String()
    function_runs = graphene.Field(items_of("apps.api.graphql.types.legacy_runs.FunctionRun"))

    @staticmethod
    def resolve_id(event: models.Event, info: GraphQLResolveInfo) -> str:
        return event.internal_id

    @staticmethod
    def resolve_workspace(event: models.Event, info: GraphQLResolveInfo) -> uuid.UUID:
        return event.environment_id

    @staticmethod
    def resolve_created_at(event: models.Event, info: GraphQLResolveInfo) -> int:
        return event.received_at

    @staticmethod
    def resolve_payload(event: models.Event, info: GraphQLResolveInfo) -> str:
        return event_data(body_of(event, info))

    @staticmethod
    def resolve_schema(event: models.Event, info: GraphQLResolveInfo) -> None:
        return None

    @staticmethod
    def resolve_status(event: models.Event, info: GraphQLResolveInfo) -> str:
        return event_status(without_skipped(runs_of(event, info)))

    @staticmethod
    def resolve_pending_runs(event: models.Event, info: GraphQLResolveInfo) -> int:
        return sum(not run.has_ended for run in runs_of(event, info))

    @staticmethod
    def resolve_total_runs(event: models.Event, info: GraphQLResolveInfo) -> int:
        return len(without_skipped(runs_of(event, info)))

    @staticmethod
    def resolve_raw(event: models.Event, info: GraphQLResolveInfo) -> str:
        return body_of(event, info)

    @staticmethod
    def resolve_function_runs(event: models.Event, info: GraphQLResolveInfo) -> list[Run]:
        return without_skipped(runs_of(event, info))
