"""Runs by keyset in both directions, and the payloads of opened steps."""

import heapq
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.dashboard.selectors.keyset import PAGE_SIZE, Page, Position, read_page
from apps.runs.choices import RunStatus
from apps.runs.models import Run, StepPayload


class RunCursor(NamedTuple):
    queued_at: int
    run_id: str


@dataclass(frozen=True, slots=True)
class RunQuery:
    """None: no condition. An empty collection of ids matches nothing."""

    statuses: Sequence[RunStatus] = ()
    function_ids: Collection[UUID] | None = None
    app_ids: Collection[UUID] | None = None
    since_ms: int | None = None


def parse_cursor(text: str) -> RunCursor | None:
    queued_at, _, run_id = text.partition(".")
    is_number = queued_at.isascii() and queued_at.isdigit() and len(queued_at) < 16
    return RunCursor(int(queued_at), run_id) if is_number and run_id else None


def runs_page(
    environment_id: UUID, query: RunQuery, at: Position[RunCursor], size: int = PAGE_SIZE
) -> Page[Run]:
    """By queue time, newest first."""

    def read(position: Position[RunCursor], limit: int) -> list[Run]:
        return _read(_matching(environment_id, query), query.statuses, position, limit)

    return read_page(at, read, _cursor_of, size)


def run_beside(environment_id: UUID, query: RunQuery, at: Position[RunCursor]) -> Run | None:
    """The one next to the position, where there is one; of each status one row is read."""
    return next(iter(_read(_matching(environment_id, query), query.statuses, at, 1)), None)


def _cursor_of(run: Run) -> str:
    return f"{run.queued_at}.{run.run_id}"


def _matching(environment_id: UUID, query: RunQuery) -> QuerySet[Run]:
    rows = Run.objects.filter(environment_id=environment_id).defer("flow")
    if query.function_ids is not None:
        rows = rows.filter(function_id__in=query.function_ids)
    if query.app_ids is not None:
        rows = rows.filter(app_id__in=query.app_ids)
    if query.since_ms is not None:
        rows = rows.filter(queued_at__gte=query.since_ms)
    return rows


def _read(
    rows: QuerySet[Run], statuses: Sequence[RunStatus], at: Position[RunCursor], limit: int
) -> list[Run]:
    """Several statuses are read one by one and merged: each read then follows an index."""
    if not statuses:
        return _next_to(rows, at, limit)
    parts = [_next_to(rows.filter(status=status), at, limit) for status in statuses]
    merged = list(heapq.merge(*parts, key=attrgetter("queued_at", "run_id"), reverse=True))
    return merged[-limit:] if at.after is not None else merged[:limit]


def _next_to(rows: QuerySet[Run], at: Position[RunCursor], limit: int) -> list[Run]:
    if at.after is not None:
        time, run_id = at.after
        newer = rows.filter(Q(queued_at__gt=time) | Q(queued_at=time, run_id__gt=run_id), queued_at__gte=time)
        return list(newer.order_by("queued_at", "run_id")[:limit])[::-1]
    if at.before is not None:
        time, run_id = at.before
        rows = rows.filter(Q(queued_at__lt=time) | Q(queued_at=time, run_id__lt=run_id), queued_at__lte=time)
    return list(rows.order_by("-queued_at", "-run_id")[:limit])


def runs_by_id(environment_id: UUID, run_ids: Iterable[str]) -> dict[str, Run]:
    rows = Run.objects.filter(environment_id=environment_id, run_id__in=list(run_ids)).defer("flow")
    return {row.run_id: row for row in rows}


def opened_payloads(run: Run, keys: Collection[tuple[str, int]]) -> dict[tuple[str, int], StepPayload]:
    """The payloads of (step id, attempt) pairs of a run; what has none is left out."""
    if not keys:
        return {}
    wanted = Q()
    for step_id, attempt in keys:
        wanted |= Q(step_id=step_id, attempt=attempt)
    rows = StepPayload.objects.filter(wanted, run_id=run.run_id)
    return {(row.step_id, row.attempt): row for row in rows}
