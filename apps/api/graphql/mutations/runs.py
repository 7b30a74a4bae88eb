"""Invoking functions, cancelling and repeating runs."""

from typing import Any

import graphene
from graphql import GraphQLResolveInfo

from apps.api.graphql.cancelling import cancel
from apps.api.graphql.context import context_of
from apps.api.graphql.inputs import RerunFromStepInput
from apps.api.graphql.invoking import invoke
from apps.api.graphql.repeating import rerun
from apps.api.graphql.scalars import ULID, Map
from apps.api.graphql.types.legacy_runs import FunctionRun
from apps.runs.models import Run


class RunMutations(graphene.ObjectType):
    invoke_function = graphene.Boolean(
        data=Map(),
        function_slug=graphene.String(required=True),
        meta=Map(),
        user=Map(),
        debug_session_id=ULID(name="debugSessionID"),
        debug_run_id=ULID(name="debugRunID"),
    )
    cancel_run = graphene.Field(FunctionRun, required=True, run_id=ULID(required=True, name="runID"))
    rerun = ULID(
        required=True,
        run_id=ULID(required=True, name="runID"),
        from_step=RerunFromStepInput(),
        debug_session_id=ULID(name="debugSessionID"),
        debug_run_id=ULID(name="debugRunID"),
    )

    @staticmethod
    def resolve_invoke_function(
        root: None,
        info: GraphQLResolveInfo,
        function_slug: str,
        data: dict[str, Any] | None = None,
        meta: dict[str, Any] | None = None,
        user: dict[str, Any] | None = None,
        debug_session_id: str | None = None,
        debug_run_id: str | None = None,
    ) -> bool:
        """True also for a slug that no function has."""
        invoke(context_of(info), function_slug, data=data, user=user, meta=meta)
        return True

    @staticmethod
    def resolve_cancel_run(root: None, info: GraphQLResolveInfo, run_id: str) -> Run:
        run = cancel(context_of(info), run_id)
        context_of(info).saw_runs([run])
        return run

    @staticmethod
    def resolve_rerun(
        root: None,
        info: GraphQLResolveInfo,
        run_id: str,
        from_step: dict[str, Any] | None = None,
        debug_session_id: str | None = None,
        debug_run_id: str | None = None,
    ) -> str:
        step = from_step or {}
        return rerun(context_of(info), run_id, step.get("step_id"), step.get("input"))
