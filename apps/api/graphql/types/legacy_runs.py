"""Runs in the legacy shape (spec 03, 6.12)."""

import uuid

import graphene
from graphql import GraphQLResolveInfo

from apps.api.graphql.context import context_of
from apps.api.graphql.enums import FunctionRunStatus
from apps.api.graphql.scalars import ULID, Time
from apps.api.graphql.statuses import run_status
from apps.api.graphql.triggers import events_of
from apps.api.graphql.types.common import Workspace
from apps.api.graphql.types.events import Event
from apps.api.graphql.types.registry import Function
from apps.api.graphql.types.wrappers import list_of
from apps.events.models import Event as EventRow
from apps.registry.models import Function as FunctionRow
from apps.runs.choices import RunStatus
from apps.runs.models import Run


class StepEventWait(graphene.ObjectType):
    """What a paused step waits for."""

    event_name = graphene.String()
    expression = graphene.String()
    expiry_time = graphene.Field(Time, required=True)


class FunctionRun(graphene.ObjectType):
    """Run in the legacy shape."""

    id = graphene.ID(required=True)
    function_id = graphene.String(required=True, name="functionID")
    function = graphene.Field(Function)
    workspace = graphene.Field(Workspace)
    event = graphene.Field(Event)
    events = graphene.Field(list_of(Event))
    batch_id = graphene.Field(ULID, name="batchID")
    batch_created_at = graphene.Field(Time)
    status = graphene.Field(FunctionRunStatus)
    waiting_for = graphene.Field(StepEventWait)
    pending_steps = graphene.Int(deprecation_reason="No longer supported")
    started_at = graphene.Field(Time)
    finished_at = graphene.Field(Time)
    output = graphene.String()
    event_id = graphene.ID(required=True, name="eventID")
    cron = graphene.String()

    @staticmethod
    def resolve_id(run: Run, info: GraphQLResolveInfo) -> str:
        return run.run_id

    @staticmethod
    def resolve_function(run: Run, info: GraphQLResolveInfo) -> FunctionRow | None:
        return context_of(info).functions.get(run.function_id)

    @staticmethod
    def resolve_workspace(run: Run, info: GraphQLResolveInfo) -> uuid.UUID:
        return run.environment_id

    @staticmethod
    def resolve_event(run: Run, info: GraphQLResolveInfo) -> EventRow | None:
        return next(iter(events_of(run, context_of(info))), None)

    @staticmethod
    def resolve_events(run: Run, info: GraphQLResolveInfo) -> list[EventRow]:
        return events_of(run, context_of(info))

    @staticmethod
    def resolve_batch_id(run: Run, info: GraphQLResolveInfo) -> None:
        return None

    @staticmethod
    def resolve_batch_created_at(run: Run, info: GraphQLResolveInfo) -> None:
        return None

    @staticmethod
    def resolve_status(run: Run, info: GraphQLResolveInfo) -> str:
        return run_status(run)

    @staticmethod
    def resolve_waiting_for(run: Run, info: GraphQLResolveInfo) -> None:
        return None

    @staticmethod
    def resolve_pending_steps(run: Run, info: GraphQLResolveInfo) -> None:
        return None

    @staticmethod
    def resolve_finished_at(run: Run, info: GraphQLResolveInfo) -> int | None:
        return run.ended_at

    @staticmethod
    def resolve_output(run: Run, info: GraphQLResolveInfo) -> str | None:
        """A cancelled run answers with an empty object, as in the published API."""
        output = context_of(info).run_outputs.get(run.run_id)
        return "{}" if output is None and run.status == RunStatus.CANCELLED else output

    @staticmethod
    def resolve_event_id(run: Run, info: GraphQLResolveInfo) -> str:
        ids = context_of(info).run_event_ids.get(run.run_id) or []
        return ids[0] if ids else ""

    @staticmethod
    def resolve_cron(run: Run, info: GraphQLResolveInfo) -> str | None:
        return run.cron or None
