"""The `runs` connection (spec 03, 6.5)."""

from collections.abc import Iterator, Sequence
from functools import partial

from graphql import GraphQLError

from apps.api.graphql.context import RequestContext
from apps.api.graphql.cursors import decode_run_cursor, encode_run_cursor
from apps.api.graphql.expression_filter import CHUNK, MAX_SCANNED_ROWS, ExpressionFilter, ScanTooLong
from apps.api.graphql.outcomes import parsed, unwrapped_error
from apps.api.graphql.pages import Edge, Page
from apps.api.graphql.reads.run_pages import (
    Order,
    Position,
    RunsWindow,
    count_runs,
    iterate_runs,
    page_of_runs,
    position_of,
)
from apps.api.graphql.triggers import trigger_of
from apps.runs.choices import RunStatus
from apps.runs.models import Run

NEWEST_FIRST = (Order("queued_at", descending=True),)


class RunList:
    """One listing: a window, an order, and a filter by expression if there is one."""

    def __init__(
        self, context: RequestContext, window: RunsWindow, orders: Sequence[Order], query: str | None
    ) -> None:
        """Raises GraphQLError for a query that does not compile."""
        self._context = context
        self._window = window
        self._orders = orders or NEWEST_FIRST
        self._filter = _filter(query)

    def page(self, size: int, after: str | None) -> Page[Run]:
        """`after` that is no cursor of this order is ignored."""
        position = decode_run_cursor(after, self._orders) if after else None
        runs = self._rows(size, position)
        self._context.saw_runs(runs)
        edges = [Edge(run, encode_run_cursor(position_of(run, self._orders))) for run in runs]
        return Page(edges, is_full=len(runs) == size, is_continued=False, count=self._count)

    def _rows(self, size: int, after: Position | None) -> list[Run]:
        environment_id = self._context.environment_id
        if self._filter is None:
            return page_of_runs(environment_id, self._window, self._orders, limit=size, after=after)
        found: list[Run] = []
        for run in self._matching(self._filter, after):
            found.append(run)
            if len(found) == size:
                break
        return found

    def _count(self) -> int:
        if self._filter is None:
            return count_runs(self._context.environment_id, self._window)
        return sum(1 for _ in self._matching(self._filter, None))

    def _matching(self, accepts: ExpressionFilter, after: Position | None) -> Iterator[Run]:
        scanned = 0
        chunks = iterate_runs(
            self._context.environment_id, self._window, self._orders, chunk_size=CHUNK, after=after
        )
        for chunk in chunks:
            scanned += len(chunk)
            if scanned > MAX_SCANNED_ROWS:
                raise ScanTooLong
            yield from filter(partial(self._accepts, accepts, self._chunk_context(chunk)), chunk)

    def _chunk_context(self, chunk: Sequence[Run]) -> RequestContext:
        """Payloads of a chunk are dropped with it."""
        context = RequestContext(self._context.environment_id, self._context.account_id)
        context.saw_runs(chunk)
        return context

    def _accepts(self, accepts: ExpressionFilter, context: RequestContext, run: Run) -> bool:
        events = [parsed(body) for body in trigger_of(run, context).payloads]
        outcome = _outcome(run, context) if accepts.reads_outcome else {}
        return accepts.accepts([event for event in events if isinstance(event, dict)], outcome)


def _filter(query: str | None) -> ExpressionFilter | None:
    if not query or not query.strip():
        return None
    try:
        return ExpressionFilter(query)
    except GraphQLError as error:
        raise GraphQLError(f"error retrieving runs: {error.message}") from error


def _outcome(run: Run, context: RequestContext) -> dict[str, object]:
    output = context.run_outputs.get(run.run_id)
    if output is None:
        return {}
    if run.status == RunStatus.COMPLETED:
        return {"output": parsed(output)}
    return {"error": unwrapped_error(output)}
