"""Cancelling a run and waiting for the state change (spec 03, 6.15)."""

from typing import Final

from graphql import GraphQLError

from apps.api.graphql.context import RequestContext
from apps.api.graphql.errors import not_found
from apps.api.graphql.freshness import awaited
from apps.audit.changes import Target
from apps.runs import selectors
from apps.runs.choices import RunStatus
from apps.runs.exceptions import RunNotFound
from apps.runs.models import Run
from apps.runs.services import CancelResult, run_cancel

PATIENCE_SECONDS: Final = 5.0
_REASON: Final = "user"


def cancel(context: RequestContext, run_id: str) -> Run:
    """The run once it is stored as cancelled; of a run that was cancelled before, the same.

    Raises GraphQLError for an unknown run and for one that ended otherwise.
    """
    try:
        result = run_cancel(context.environment_id, run_id, _REASON)
    except RunNotFound as error:
        raise not_found("error retrieving run: ") from error
    if result is CancelResult.CANCELLED:
        context.audit("run.cancel", Target("run", run_id, run_id))
    run = awaited(lambda: _ended(context, run_id), PATIENCE_SECONDS)
    if run is None:
        raise GraphQLError(f"the end of run {run_id} has not been stored yet")
    if run.status != RunStatus.CANCELLED:
        raise GraphQLError("cannot cancel an ended run")
    return run


def _ended(context: RequestContext, run_id: str) -> Run | None:
    run = selectors.run_get(context.environment_id, run_id)
    return run if run is not None and run.has_ended else None
