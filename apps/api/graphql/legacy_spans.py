"""The legacy tree (spec 03, 6.7), on which the SDKs' own test suites assert."""

from typing import Final

from apps.api.graphql.spans import Span, group_span_id, output_id, span_of
from apps.runs.models import Run
from apps.runs.trace import NodeKind, OutputRef, TraceNode, TraceStatus

_FUNCTION_NAMES: Final = {TraceStatus.COMPLETED: "function success", TraceStatus.FAILED: "function error"}


def legacy_root(run: Run, slug: str, tree: TraceNode) -> Span:
    """The root of the run; `slug` is the full slug of its function."""
    root = span_of(run, tree, slug, None)
    root.scheduled_at = run.scheduled_at
    root.output_id = output_id(OutputRef(run.run_id)) if run.has_ended and run.has_output else None
    root.children_spans = [_child(run, node, root) for node in tree.steps]
    return root


def _child(run: Run, node: TraceNode, root: Span) -> Span:
    span = span_of(run, node, _name(node), root)
    span.response = None
    if _is_group(node):
        _make_group(run, node, span, root)
    return span


def _is_group(node: TraceNode) -> bool:
    """Attempts are shown as soon as one has failed."""
    return len(node.attempts) > 1 or node.attempts[0].status is TraceStatus.FAILED


def _make_group(run: Run, node: TraceNode, span: Span, root: Span) -> None:
    succeeded = node.status is TraceStatus.COMPLETED
    prefix = "steprun" if succeeded and node.kind is NodeKind.STEP else "exec"
    span.span_id = group_span_id(prefix, run.run_id, node.step_id)
    if node.status is TraceStatus.FAILED:
        span.attempts = node.attempt + 1
    if not succeeded:
        span.step_op = span.step_info = None
    span.children_spans = [_attempt(run, attempt, span, root) for attempt in node.attempts]


def _attempt(run: Run, node: TraceNode, group: Span, root: Span) -> Span:
    """An attempt names the parent of its group as its own."""
    span = span_of(run, node, f"Attempt {node.attempt}", group)
    span.parent_span_id = root.span_id
    span.response = None
    if node.is_planned:
        span.span_id = "queued"
        span.duration = 0
    return span


def _name(node: TraceNode) -> str:
    if node.kind is NodeKind.FUNCTION:
        return _FUNCTION_NAMES.get(node.status, "execute")
    return "Queued step" if node.status is TraceStatus.QUEUED else node.name
