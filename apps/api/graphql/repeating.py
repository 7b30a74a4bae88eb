"""Running a run again, from its start or from one of its steps (spec 03, 6.15)."""

from graphql import GraphQLError

from apps.api.graphql.context import RequestContext
from apps.api.graphql.errors import not_found
from apps.audit.changes import Target
from apps.runs.exceptions import RunError, RunNotFound
from apps.runs.services import run_rerun


def rerun(context: RequestContext, run_id: str, from_step: str | None, input_text: str | None) -> str:
    """The new run's id. Raises GraphQLError for what cannot be repeated."""
    try:
        new_id = run_rerun(context.environment_id, run_id, from_step, input_text)
    except RunNotFound as error:
        raise not_found() from error
    except RunError as error:
        raise GraphQLError(str(error)) from error
    context.audit("run.rerun", Target("run", run_id, run_id), {"new_run": new_id, "step": from_step or ""})
    return new_id
