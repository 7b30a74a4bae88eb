"""Queries for runs, their traces, outputs and triggers (spec 03, 6.3 to 6.9)."""

from collections.abc import Sequence
from typing import Any

import graphene
from graphql import GraphQLError, GraphQLResolveInfo

from apps.api.graphql.context import RequestContext, context_of
from apps.api.graphql.errors import not_found
from apps.api.graphql.freshness import patiently
from apps.api.graphql.inputs import RunsFilterV2, RunsV2OrderBy
from apps.api.graphql.outcomes import SpanOutput
from apps.api.graphql.output_ids import decode_output_id
from apps.api.graphql.pages import Page, size_or_default
from apps.api.graphql.run_lists import RunList
from apps.api.graphql.run_spans import run_span
from apps.api.graphql.scalars import parse_ulid
from apps.api.graphql.span_outputs import span_output
from apps.api.graphql.spans import Span
from apps.api.graphql.triggers import Trigger, trigger_of
from apps.api.graphql.types.runs import FunctionRunV2, RunsV2Connection
from apps.api.graphql.types.trace import RunTraceSpan, RunTraceSpanOutput, RunTraceTrigger
from apps.api.graphql.types.wrappers import list_of
from apps.api.graphql.windows import runs_orders, runs_window
from apps.runs import selectors
from apps.runs.models import Run

MAX_PAGE = 399


class RunQueries(graphene.ObjectType):
    runs = graphene.Field(
        RunsV2Connection,
        required=True,
        first=graphene.Int(required=True, default_value=100),
        after=graphene.String(),
        order_by=list_of(RunsV2OrderBy),
        criteria=RunsFilterV2(required=True, name="filter"),
        preview=graphene.Boolean(),
    )
    run = graphene.Field(FunctionRunV2, run_id=graphene.String(required=True, name="runID"))
    run_trace_span_output_by_id = graphene.Field(
        RunTraceSpanOutput,
        required=True,
        name="runTraceSpanOutputByID",
        output_id=graphene.String(required=True, name="outputID"),
    )
    run_trigger = graphene.Field(
        RunTraceTrigger, required=True, run_id=graphene.String(required=True, name="runID")
    )
    run_trace = graphene.Field(
        RunTraceSpan, required=True, run_id=graphene.String(required=True, name="runID")
    )

    @staticmethod
    def resolve_runs(
        root: None,
        info: GraphQLResolveInfo,
        first: int,
        order_by: Sequence[dict[str, Any]],
        criteria: dict[str, Any],
        after: str | None = None,
        preview: bool | None = None,
    ) -> Page[Run]:
        context = context_of(info)
        listing = RunList(context, runs_window(criteria), runs_orders(order_by), criteria.get("query"))
        return listing.page(size_or_default(first, maximum=MAX_PAGE), after)

    @staticmethod
    def resolve_run(root: None, info: GraphQLResolveInfo, run_id: str) -> Run:
        run = _run(context_of(info), run_id)
        if run is None:
            raise not_found("error retrieving run: ")
        return run

    @staticmethod
    def resolve_run_trace_span_output_by_id(
        root: None, info: GraphQLResolveInfo, output_id: str
    ) -> SpanOutput:
        return span_output(decode_output_id(output_id), context_of(info))

    @staticmethod
    def resolve_run_trigger(root: None, info: GraphQLResolveInfo, run_id: str) -> Trigger:
        context = context_of(info)
        run = _run(context, run_id)
        if run is None:
            raise not_found("error retrieving run: ")
        return trigger_of(run, context)

    @staticmethod
    def resolve_run_trace(root: None, info: GraphQLResolveInfo, run_id: str) -> Span:
        context = context_of(info)
        run = _run(context, run_id)
        if run is None:
            raise GraphQLError(f"error retrieving trace: no root span found for run {run_id}")
        return run_span(run, context, preview=True)


def _run(context: RequestContext, text: str) -> Run | None:
    """Raises GraphQLError for a malformed id."""
    try:
        run_id = parse_ulid(text)
    except GraphQLError as error:
        raise GraphQLError(f"error parsing runID: {error.message}") from error
    run = patiently(lambda: selectors.run_get(context.environment_id, run_id), run_id)
    if run is not None:
        context.saw_runs([run])
    return run
