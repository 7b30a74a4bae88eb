"""The new tree (spec 03, 6.8): one node a step and one for the final request."""

from typing import Final

from apps.api.graphql.spans import Span, span_id, span_of
from apps.runs.models import Run
from apps.runs.trace import NodeKind, TraceNode

NO_PARENT: Final = "0000000000000000"


def preview_root(run: Run, tree: TraceNode) -> Span:
    """The root of the run; its `outputID` is set from the start, because its input is readable."""
    root = span_of(run, tree, "Run", None)
    root.scheduled_at = run.scheduled_at
    root.parent_span_id = NO_PARENT
    root.children_spans = [_child(run, node, root) for node in tree.steps]
    return root


def _child(run: Run, node: TraceNode, root: Span) -> Span:
    is_function = node.kind is NodeKind.FUNCTION
    span = span_of(run, node, "Finalization" if is_function else node.name, root)
    span.step_type = "FINALIZATION" if is_function else span.step_op or ""
    if node.children:
        span.duration = None
        span.response = None
        span.span_id = span_id(run.run_id, node.step_id)  # the last attempt has the step's id otherwise
        span.children_spans = [_attempt(run, attempt, span) for attempt in node.children]
    return span


def _attempt(run: Run, node: TraceNode, group: Span) -> Span:
    span = span_of(run, node, f"Attempt {node.attempt}", group)
    span.step_type = "RUN" if node.step_id else ""
    return span
