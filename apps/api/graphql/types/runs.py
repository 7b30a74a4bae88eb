"""Runs in the current shape (spec 03, 6.6)."""

import graphene
from graphql import GraphQLError, GraphQLResolveInfo

from apps.api.graphql.context import context_of
from apps.api.graphql.enums import FunctionRunStatus, RunDeferStatus
from apps.api.graphql.pages import Page
from apps.api.graphql.run_spans import run_span
from apps.api.graphql.scalars import ULID, UUID, Bytes, Time
from apps.api.graphql.spans import Span, trace_id
from apps.api.graphql.statuses import run_status
from apps.api.graphql.triggers import is_batch, single_event_name
from apps.api.graphql.types.common import PageInfo
from apps.api.graphql.types.registry import App, Function
from apps.api.graphql.types.trace import RunTraceSpan
from apps.api.graphql.types.wrappers import list_of
from apps.registry import models
from apps.runs.models import Run


class RunDefer(graphene.ObjectType):
    """One deferred call."""

    hashed_defer_id = graphene.String(required=True, name="hashedDeferID")
    userland_defer_id = graphene.String(required=True, name="userlandDeferID")
    fn_slug = graphene.String(required=True)
    status = graphene.Field(RunDeferStatus, required=True)
    function = graphene.Field(Function)
    run_id = graphene.Field(ULID, name="runID")
    run = graphene.Field(lambda: FunctionRunV2)


class RunDeferredFrom(graphene.ObjectType):
    """Origin of a deferred run."""

    run_id = graphene.Field(ULID, required=True, name="runID")
    function = graphene.Field(Function, required=True)
    run = graphene.Field(lambda: FunctionRunV2)


class FunctionRunV2(graphene.ObjectType):
    """Run in the current shape."""

    id = graphene.Field(ULID, required=True)
    app_id = graphene.Field(UUID, required=True, name="appID")
    app = graphene.Field(App, required=True)
    function_id = graphene.Field(UUID, required=True, name="functionID")
    function = graphene.Field(Function, required=True)
    trace_id = graphene.String(required=True, name="traceID")
    queued_at = graphene.Field(Time, required=True)
    started_at = graphene.Field(Time)
    ended_at = graphene.Field(Time)
    status = graphene.Field(FunctionRunStatus, required=True)
    source_id = graphene.String(name="sourceID")
    trigger_ids = graphene.Field(list_of(ULID), name="triggerIDs")
    event_name = graphene.String()
    is_batch = graphene.Boolean(required=True)
    batch_created_at = graphene.Field(Time)
    cron_schedule = graphene.String()
    output = graphene.Field(Bytes)
    trace = graphene.Field(RunTraceSpan, preview=graphene.Boolean())
    has_ai = graphene.Boolean(required=True, name="hasAI")
    defers = graphene.Field(list_of(RunDefer))
    sibling_defers = graphene.Field(list_of(RunDefer))
    deferred_from = graphene.Field(list_of(RunDeferredFrom))
    is_deferred = graphene.Boolean(required=True)

    @staticmethod
    def resolve_id(run: Run, info: GraphQLResolveInfo) -> str:
        return run.run_id

    @staticmethod
    def resolve_app(run: Run, info: GraphQLResolveInfo) -> models.App:
        app = context_of(info).apps.get(run.app_id)
        if app is None:
            raise GraphQLError(f"app not found: {run.app_id}")
        return app

    @staticmethod
    def resolve_function(run: Run, info: GraphQLResolveInfo) -> models.Function:
        function = context_of(info).functions.get(run.function_id)
        if function is None:
            raise GraphQLError(f"function not found: {run.function_id}")
        return function

    @staticmethod
    def resolve_trace_id(run: Run, info: GraphQLResolveInfo) -> str:
        return trace_id(run.run_id)

    @staticmethod
    def resolve_status(run: Run, info: GraphQLResolveInfo) -> str:
        return run_status(run)

    @staticmethod
    def resolve_source_id(run: Run, info: GraphQLResolveInfo) -> None:
        return None

    @staticmethod
    def resolve_trigger_ids(run: Run, info: GraphQLResolveInfo) -> list[str]:
        return context_of(info).run_event_ids.get(run.run_id) or []

    @staticmethod
    def resolve_event_name(run: Run, info: GraphQLResolveInfo) -> str | None:
        """Lists only: the look-up of a single run leaves it null (spec 03, 6.6)."""
        parent = info.path.prev
        is_lookup = parent is not None and parent.typename == "Query"
        return None if is_lookup else single_event_name(run)

    @staticmethod
    def resolve_is_batch(run: Run, info: GraphQLResolveInfo) -> bool:
        return is_batch(run)

    @staticmethod
    def resolve_batch_created_at(run: Run, info: GraphQLResolveInfo) -> None:
        return None

    @staticmethod
    def resolve_cron_schedule(run: Run, info: GraphQLResolveInfo) -> str | None:
        return run.cron or None

    @staticmethod
    def resolve_output(run: Run, info: GraphQLResolveInfo) -> str | None:
        return context_of(info).run_outputs.get(run.run_id)

    @staticmethod
    def resolve_trace(run: Run, info: GraphQLResolveInfo, preview: bool | None = None) -> Span:
        return run_span(run, context_of(info), preview=bool(preview))

    @staticmethod
    def resolve_has_ai(run: Run, info: GraphQLResolveInfo) -> bool:
        return context_of(info).ai_runs.get(run.run_id) or False

    @staticmethod
    def resolve_defers(run: Run, info: GraphQLResolveInfo) -> list[object]:
        return []

    @staticmethod
    def resolve_sibling_defers(run: Run, info: GraphQLResolveInfo) -> list[object]:
        return []

    @staticmethod
    def resolve_deferred_from(run: Run, info: GraphQLResolveInfo) -> list[object]:
        return []

    @staticmethod
    def resolve_is_deferred(run: Run, info: GraphQLResolveInfo) -> bool:
        return False


class FunctionRunV2Edge(graphene.ObjectType):
    """Run with its cursor."""

    node = graphene.Field(FunctionRunV2, required=True)
    cursor = graphene.String(required=True)


class RunsV2Connection(graphene.ObjectType):
    """Page of runs."""

    edges = graphene.Field(list_of(FunctionRunV2Edge))
    page_info = graphene.Field(PageInfo, required=True)
    total_count = graphene.Int(required=True, preview=graphene.Boolean())

    @staticmethod
    def resolve_total_count(page: Page[Run], info: GraphQLResolveInfo, preview: bool | None = None) -> int:
        return page.count()
