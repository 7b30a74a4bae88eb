"""Runs and their attempts, many at a time."""

import uuid
from collections.abc import Collection, Mapping

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.api.graphql.grouping import grouped
from apps.runs.models import Run, RunEvent, StepAttempt


def runs_by_id(environment_id: uuid.UUID, run_ids: Collection[str]) -> Mapping[str, Run]:
    return Run.objects.filter(environment_id=environment_id).in_bulk(list(run_ids))


def runs_by_event(environment_id: uuid.UUID, event_ids: Collection[str]) -> Mapping[str, list[Run]]:
    """Runs that each event started, skipped ones and reruns too, oldest first."""
    rows = RunEvent.objects.filter(event_id__in=event_ids).order_by("run_id")
    links = list(rows.values_list("event_id", "run_id"))
    runs = runs_by_id(environment_id, {run_id for _, run_id in links})
    found = grouped((event_id, runs[run_id]) for event_id, run_id in links if run_id in runs)
    return {event_id: found.get(event_id, []) for event_id in event_ids}


def attempts_by_run(environment_id: uuid.UUID, run_ids: Collection[str]) -> Mapping[str, list[StepAttempt]]:
    """Every attempt, without payloads."""
    rows = _attempts(environment_id, run_ids).order_by("run_id", "step_id", "attempt")
    found = grouped((row.run_id, row) for row in rows)
    return {run_id: found.get(run_id, []) for run_id in run_ids}


def runs_with_ai(environment_id: uuid.UUID, run_ids: Collection[str]) -> Mapping[str, bool]:
    """Which of the runs have a step that talked to a model."""
    wrapped = Q(op="StepRun") & (Q(info__contains='"ai.wrap') | Q(info__contains='"aiWrap"'))
    rows = _attempts(environment_id, run_ids).filter(Q(op="AIGateway") | wrapped)
    found = set(rows.values_list("run_id", flat=True))
    return {run_id: run_id in found for run_id in run_ids}


def _attempts(environment_id: uuid.UUID, run_ids: Collection[str]) -> QuerySet[StepAttempt]:
    owned = Run.objects.filter(run_id=OuterRef("run_id"), environment_id=environment_id)
    return StepAttempt.objects.filter(Exists(owned), run_id__in=run_ids)
