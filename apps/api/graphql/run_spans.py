"""The span tree of a stored run, in either shape."""

from apps.api.graphql.context import RequestContext
from apps.api.graphql.legacy_spans import legacy_root
from apps.api.graphql.preview_spans import preview_root
from apps.api.graphql.spans import Span
from apps.runs.models import Run
from apps.runs.trace import run_tree


def run_span(run: Run, context: RequestContext, *, preview: bool) -> Span:
    """`preview`: the new tree, else the legacy one."""
    tree = run_tree(run, context.run_attempts.get(run.run_id) or [])
    if preview:
        return preview_root(run, tree)
    function = context.functions.get(run.function_id)
    return legacy_root(run, function.slug if function else str(run.function_id), tree)
