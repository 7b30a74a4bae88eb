"""Keyset pages of runs (spec 03, 6.5): any order of the three timestamps, ties by run id."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce

from apps.runs.choices import RunStatus
from apps.runs.models import Run

# What each status of the API covers. SKIPPED is not a filter value: skipped runs are never listed.
_STATUSES = {
    "QUEUED": (RunStatus.SCHEDULED,),
    "RUNNING": (RunStatus.RUNNING,),
    "COMPLETED": (RunStatus.COMPLETED,),
    "FAILED": (RunStatus.FAILED, RunStatus.OVERFLOWED),
    "CANCELLED": (RunStatus.CANCELLED,),
}


@dataclass(frozen=True, slots=True)
class RunsWindow:
    """Runs whose `time_field` lies in [`time_from`, `time_until`] (ms); empty lists do not restrict.

    `only_deferred` matches nothing: the engine makes no deferred runs.
    """

    time_from: int
    time_until: int
    time_field: str = "queued_at"
    statuses: Sequence[str] = field(default_factory=list)
    function_ids: Sequence[uuid.UUID] = field(default_factory=list)
    app_ids: Sequence[uuid.UUID] = field(default_factory=list)
    only_deferred: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """`column` is queued_at, started_at or ended_at; a run without the time sorts as time 0."""

    column: str
    descending: bool


@dataclass(frozen=True, slots=True)
class Position:
    """A run's place in an order: its value of each ordering column, 0 for none."""

    run_id: str
    values: dict[str, int]


def position_of(run: Run, orders: Sequence[Order]) -> Position:
    return Position(run.run_id, {order.column: getattr(run, order.column) or 0 for order in orders})


def page_of_runs(
    environment_id: uuid.UUID,
    window: RunsWindow,
    orders: Sequence[Order],
    *,
    limit: int,
    after: Position | None = None,
) -> list[Run]:
    runs = _ordered(_window(environment_id, window), window, orders)
    if after is not None:
        runs = runs.filter(_beyond(after, orders))
    return list(runs[:limit])


def iterate_runs(
    environment_id: uuid.UUID,
    window: RunsWindow,
    orders: Sequence[Order],
    *,
    chunk_size: int,
    after: Position | None = None,
) -> Iterator[list[Run]]:
    """The runs of the window in chunks, each read when it is asked for."""
    while chunk := page_of_runs(environment_id, window, orders, limit=chunk_size, after=after):
        yield chunk
        after = position_of(chunk[-1], orders)


def count_runs(environment_id: uuid.UUID, window: RunsWindow) -> int:
    return _window(environment_id, window).count()


def _window(environment_id: uuid.UUID, window: RunsWindow) -> QuerySet[Run]:
    if window.only_deferred:
        return Run.objects.none()
    time_range = (window.time_from, window.time_until)
    runs = Run.objects.filter(environment_id=environment_id, **{f"{window.time_field}__range": time_range})
    runs = runs.exclude(status=RunStatus.SKIPPED)
    codes = [code for status in window.statuses for code in _STATUSES.get(status, ())]
    if codes:
        runs = runs.filter(status__in=codes)
    if window.function_ids:
        runs = runs.filter(function_id__in=window.function_ids)
    return runs.filter(app_id__in=window.app_ids) if window.app_ids else runs


def _ordered(runs: QuerySet[Run], window: RunsWindow, orders: Sequence[Order]) -> QuerySet[Run]:
    """The window's own column and the queue time are never null: those can be read from an index."""
    present = {window.time_field, "queued_at"}
    keys = {
        _key(order): F(order.column) if order.column in present else Coalesce(order.column, 0)
        for order in orders
    }
    terms = [f"-{_key(order)}" if order.descending else _key(order) for order in orders]
    return runs.alias(**keys).order_by(*terms, "run_id")


def _key(order: Order) -> str:
    return f"order_{order.column}"


def _beyond(position: Position, orders: Sequence[Order]) -> Q:
    """Rows strictly after the position: later in one term and equal in all terms before it."""
    condition = Q()
    equal = Q()
    for order in orders:
        value = position.values[order.column]
        operator = "lt" if order.descending else "gt"
        condition |= equal & Q(**{f"{_key(order)}__{operator}": value})
        equal &= Q(**{_key(order): value})
    return condition | (equal & Q(run_id__gt=position.run_id))
