"""Reading runs, their attempts and payloads. The environment comes first; lists load no payloads."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from apps.events import selectors as events
from apps.events.models import Event
from apps.runs.choices import RunStatus
from apps.runs.cursors import decode_cursor, encode_cursor
from apps.runs.models import Run, RunEvent, RunPayload, StepAttempt, StepPayload


class TimeField(StrEnum):
    QUEUED_AT = "queued_at"
    STARTED_AT = "started_at"
    ENDED_AT = "ended_at"


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Runs whose `time_field` lies in [time_from, time_until] (ms); an empty list does not restrict.

    By a time that a run does not have yet it is not listed.
    """

    statuses: Sequence[RunStatus] = field(default_factory=tuple)
    app_ids: Sequence[uuid.UUID] = field(default_factory=tuple)
    function_ids: Sequence[uuid.UUID] = field(default_factory=tuple)
    time_field: TimeField = TimeField.QUEUED_AT
    time_from: int | None = None
    time_until: int | None = None


@dataclass(frozen=True, slots=True)
class RunPage:
    """`next_cursor` is None on the last page."""

    runs: list[Run]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class RunEventBody:
    """One of the events that a run was started with; `body` is raw JSON text."""

    event: Event
    body: str


def run_list(
    environment_id: uuid.UUID, where: RunFilter, *, limit: int, cursor: str | None = None
) -> RunPage:
    """Newest first by the filter's time, then by run id. Raises BadCursor."""
    column = where.time_field.value
    rows = _matching(environment_id, where)
    if cursor is not None:
        rows = rows.filter(_after(column, cursor))
    runs = list(rows.order_by(f"-{column}", "-run_id")[: limit + 1])
    has_more = len(runs) > limit
    runs = runs[:limit]
    return RunPage(runs, encode_cursor((getattr(runs[-1], column), runs[-1].run_id)) if has_more else None)


def run_count(environment_id: uuid.UUID, where: RunFilter) -> int:
    return _matching(environment_id, where).count()


def run_status_counts(environment_id: uuid.UUID, where: RunFilter) -> dict[RunStatus, int]:
    """How many runs have each status; statuses without runs are left out."""
    rows = _matching(environment_id, where).order_by().values_list("status")
    return {RunStatus(status): count for status, count in rows.annotate(Count("run_id"))}


def run_get(environment_id: uuid.UUID, run_id: str) -> Run | None:
    return Run.objects.filter(environment_id=environment_id, run_id=run_id).first()


def run_statuses(environment_id: uuid.UUID, run_ids: Collection[str]) -> Mapping[str, RunStatus]:
    """The status of each of the runs that the environment has."""
    rows = Run.objects.filter(environment_id=environment_id, run_id__in=run_ids)
    return {run_id: RunStatus(status) for run_id, status in rows.values_list("run_id", "status")}


def runs_for_event(environment_id: uuid.UUID, internal_id: str) -> list[Run]:
    """Runs that the event started, skipped ones and reruns too, oldest first."""
    started = RunEvent.objects.filter(event_id=internal_id).values("run_id")
    return list(Run.objects.filter(environment_id=environment_id, run_id__in=started).order_by("run_id"))


def run_steps(environment_id: uuid.UUID, run_id: str) -> list[StepAttempt]:
    """Every attempt of every step, and of the function's own code (empty step id), without payloads."""
    rows = StepAttempt.objects.filter(_owned(environment_id), run_id=run_id)
    return list(rows.order_by("step_id", "attempt"))


def run_output(environment_id: uuid.UUID, run_id: str) -> str | None:
    """JSON text of the result, or of the error of a failed run; None where there is none."""
    rows = RunPayload.objects.filter(_owned(environment_id), run_id=run_id)
    return rows.values_list("output", flat=True).first()


def run_outputs(environment_id: uuid.UUID, run_ids: Collection[str]) -> Mapping[str, str]:
    """The same for many runs; those without an output are left out."""
    rows = RunPayload.objects.filter(_owned(environment_id), run_id__in=run_ids)
    return dict(rows.values_list("run_id", "output"))


def step_payload(environment_id: uuid.UUID, run_id: str, step_id: str, attempt: int) -> StepPayload | None:
    """Output, error and input of one attempt; None where it has none of them."""
    rows = StepPayload.objects.filter(_owned(environment_id), run_id=run_id, step_id=step_id, attempt=attempt)
    return rows.first()


def step_payloads(environment_id: uuid.UUID, run_id: str) -> Mapping[tuple[str, int], StepPayload]:
    """All payloads of a run by step id and attempt: only for what needs every one of them."""
    rows = StepPayload.objects.filter(_owned(environment_id), run_id=run_id)
    return {(row.step_id, row.attempt): row for row in rows}


def run_event_ids(environment_id: uuid.UUID, run_ids: Collection[str]) -> Mapping[str, list[str]]:
    """The internal ids of the events that each run was started with, in order."""
    rows = RunEvent.objects.filter(_owned(environment_id), run_id__in=run_ids).order_by("run_id", "position")
    found: dict[str, list[str]] = {run_id: [] for run_id in run_ids}
    for run_id, event_id in rows.values_list("run_id", "event_id"):
        found[run_id].append(event_id)
    return found


def run_events(environment_id: uuid.UUID, run_id: str) -> list[RunEventBody]:
    """The events that a run was started with, in order; those that are not stored are left out."""
    ids = run_event_ids(environment_id, [run_id])[run_id]
    found = events.events_by_id(environment_id, ids)
    bodies = events.event_bodies(environment_id, [event.key for event in found.values()])
    stored = [found[internal_id] for internal_id in ids if internal_id in found]
    return [RunEventBody(event, bodies[event.key]) for event in stored if event.key in bodies]


def _matching(environment_id: uuid.UUID, where: RunFilter) -> QuerySet[Run]:
    rows = Run.objects.filter(environment_id=environment_id).defer("flow")
    column = where.time_field.value
    if where.time_field is not TimeField.QUEUED_AT:
        rows = rows.filter(**{f"{column}__isnull": False})
    if where.time_from is not None:
        rows = rows.filter(**{f"{column}__gte": where.time_from})
    if where.time_until is not None:
        rows = rows.filter(**{f"{column}__lte": where.time_until})
    lists = {"status": where.statuses, "app_id": where.app_ids, "function_id": where.function_ids}
    return rows.filter(**{f"{name}__in": values for name, values in lists.items() if values})


def _after(column: str, cursor: str) -> Q:
    """Rows after the cursor; the range on the first column is what an index can use."""
    value, run_id = decode_cursor(cursor)
    below = Q(**{f"{column}__lt": value}) | Q(run_id__lt=run_id)
    return Q(**{f"{column}__lte": value}) & below


def _owned(environment_id: uuid.UUID) -> Exists:
    """Rows of runs of this environment."""
    return Exists(Run.objects.filter(run_id=OuterRef("run_id"), environment_id=environment_id))
