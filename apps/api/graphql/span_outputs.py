"""Resolves `outputID`s, within the environment of the request."""

from graphql import GraphQLError

from apps.api.graphql.context import RequestContext
from apps.api.graphql.outcomes import SpanOutput, run_outcome, step_outcome
from apps.api.graphql.triggers import trigger_of
from apps.runs import selectors
from apps.runs.choices import StepStatus
from apps.runs.models import Run, StepAttempt
from apps.runs.trace import OutputRef

_OWN_CODE = ""


def span_output(ref: OutputRef, context: RequestContext) -> SpanOutput:
    """Input, result and error of a node. Raises GraphQLError for a node that does not exist."""
    run = context.runs.get(ref.run_id)
    if run is None:
        raise GraphQLError(f"no output found for run {ref.run_id}")
    if ref.step_id is None:
        return _of_run(run, context)
    attempt = _attempt(ref, context)
    if ref.step_id == _OWN_CODE and attempt.status == StepStatus.COMPLETED:
        return run_outcome(run, context.run_outputs.get(run.run_id))
    payload = selectors.step_payload(context.environment_id, ref.run_id, ref.step_id, ref.attempt)
    return step_outcome(attempt, payload)


def _of_run(run: Run, context: RequestContext) -> SpanOutput:
    events = f"[{','.join(trigger_of(run, context).payloads)}]"
    return run_outcome(run, context.run_outputs.get(run.run_id), events)


def _attempt(ref: OutputRef, context: RequestContext) -> StepAttempt:
    for attempt in context.run_attempts.get(ref.run_id) or []:
        if (attempt.step_id, attempt.attempt) == (ref.step_id, ref.attempt):
            return attempt
    raise GraphQLError(f"no output found for step {ref.step_id!r} of run {ref.run_id}")
