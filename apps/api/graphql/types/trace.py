"""Span trees, outputs and triggers of runs (spec 03, 6.7 to 6.9)."""

import uuid

import graphene
from graphql import GraphQLResolveInfo

from apps.api.graphql.enums import RunTraceSpanStatus, StepOp
from apps.api.graphql.scalars import (
    ULID,
    UUID,
    Bytes,
    HTTPHeaders,
    SpanMetadataKind,
    SpanMetadataScope,
    SpanMetadataValues,
    Time,
    Unknown,
)
from apps.api.graphql.spans import Span
from apps.api.graphql.types.legacy_runs import FunctionRun
from apps.api.graphql.types.step_info import StepInfo
from apps.api.graphql.types.wrappers import list_of
from apps.runs.models import Run


class RunTraceSpanResponseInfo(graphene.ObjectType):
    """SDK reply facts."""

    status_code = graphene.Int(required=True)
    headers = graphene.Field(HTTPHeaders, required=True)


class SpanMetadata(graphene.ObjectType):
    """One metadata record attached to a span."""

    scope = graphene.Field(SpanMetadataScope, required=True)
    kind = graphene.Field(SpanMetadataKind, required=True)
    values = graphene.Field(SpanMetadataValues, required=True)
    updated_at = graphene.Field(Time, required=True)


class UserlandSpan(graphene.ObjectType):
    """OpenTelemetry facts of an application span."""

    span_name = graphene.String()
    span_kind = graphene.String()
    service_name = graphene.String()
    resource_attrs = graphene.Field(Bytes)
    scope_name = graphene.String()
    scope_version = graphene.String()
    span_attrs = graphene.Field(Bytes)


class RunTraceSpan(graphene.ObjectType):
    """Node of the span tree; resolved from `apps.api.graphql.spans.Span`."""

    app_id = graphene.Field(UUID, required=True, name="appID")
    function_id = graphene.Field(UUID, required=True, name="functionID")
    run_id = graphene.Field(ULID, required=True, name="runID")
    run = graphene.Field(FunctionRun, required=True)
    span_id = graphene.String(required=True, name="spanID")
    trace_id = graphene.String(required=True, name="traceID")
    group_id = graphene.String(name="groupID")
    name = graphene.String(required=True)
    status = graphene.Field(RunTraceSpanStatus, required=True)
    attempts = graphene.Int()
    duration = graphene.Int()
    output_id = graphene.String(name="outputID")
    queued_at = graphene.Field(Time, required=True)
    scheduled_at = graphene.Field(Time)
    started_at = graphene.Field(Time)
    ended_at = graphene.Field(Time)
    children_spans = graphene.Field(list_of(lambda: RunTraceSpan))
    step_op = graphene.Field(StepOp)
    step_id = graphene.String(name="stepID")
    step_info = graphene.Field(StepInfo)
    step_type = graphene.String(required=True)
    is_root = graphene.Boolean(required=True)
    parent_span_id = graphene.String(name="parentSpanID")
    parent_span = graphene.Field(lambda: RunTraceSpan)
    is_userland = graphene.Boolean(required=True)
    userland_span = graphene.Field(UserlandSpan)
    debug_run_id = graphene.Field(ULID, name="debugRunID")
    debug_session_id = graphene.Field(ULID, name="debugSessionID")
    debug_paused = graphene.Boolean(required=True)
    skip_reason = graphene.String()
    skip_existing_run_id = graphene.String(name="skipExistingRunID")
    metadata = graphene.Field(list_of(SpanMetadata))
    response = graphene.Field(RunTraceSpanResponseInfo)

    @staticmethod
    def resolve_app_id(span: Span, info: GraphQLResolveInfo) -> uuid.UUID:
        return span.run.app_id

    @staticmethod
    def resolve_function_id(span: Span, info: GraphQLResolveInfo) -> uuid.UUID:
        return span.run.function_id

    @staticmethod
    def resolve_run_id(span: Span, info: GraphQLResolveInfo) -> str:
        return span.run.run_id

    @staticmethod
    def resolve_run(span: Span, info: GraphQLResolveInfo) -> Run:
        return span.run

    @staticmethod
    def resolve_group_id(span: Span, info: GraphQLResolveInfo) -> str | None:
        """Attempts of one step have its id in common."""
        return span.step_id

    @staticmethod
    def resolve_is_userland(span: Span, info: GraphQLResolveInfo) -> bool:
        return False

    @staticmethod
    def resolve_userland_span(span: Span, info: GraphQLResolveInfo) -> None:
        return None

    @staticmethod
    def resolve_debug_run_id(span: Span, info: GraphQLResolveInfo) -> None:
        return None

    @staticmethod
    def resolve_debug_session_id(span: Span, info: GraphQLResolveInfo) -> None:
        return None

    @staticmethod
    def resolve_debug_paused(span: Span, info: GraphQLResolveInfo) -> bool:
        return False

    @staticmethod
    def resolve_skip_reason(span: Span, info: GraphQLResolveInfo) -> str | None:
        return span.run.skip_reason or None if span.is_root else None

    @staticmethod
    def resolve_skip_existing_run_id(span: Span, info: GraphQLResolveInfo) -> str | None:
        return span.run.skip_existing_run_id or None if span.is_root else None

    @staticmethod
    def resolve_metadata(span: Span, info: GraphQLResolveInfo) -> list[object]:
        return []


class StepError(graphene.ObjectType):
    """Error of a step or run."""

    message = graphene.String(required=True)
    name = graphene.String()
    stack = graphene.String()
    cause = graphene.Field(Unknown)


class RunTraceSpanOutput(graphene.ObjectType):
    """Input and result of a span."""

    input = graphene.Field(Bytes)
    data = graphene.Field(Bytes)
    error = graphene.Field(StepError)


class RunTraceTrigger(graphene.ObjectType):
    """What started a run; resolved from `apps.api.graphql.triggers.Trigger`."""

    event_name = graphene.String()
    ids = graphene.Field(list_of(ULID), name="IDs")
    payloads = graphene.Field(list_of(Bytes))
    timestamp = graphene.Field(Time, required=True)
    is_batch = graphene.Boolean(required=True)
    batch_id = graphene.Field(ULID, name="batchID")
    cron = graphene.String()
