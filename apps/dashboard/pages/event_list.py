"""The events list: what came in, and what became of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.urls import reverse

from apps.dashboard.pages.filters import EventFilters
from apps.dashboard.pages.run_list import run_views
from apps.dashboard.presenters.runs import RunView
from apps.dashboard.selectors.events import (
    MAX_NAMES,
    EventQuery,
    events_page,
    names_with_prefix,
    outcomes_by_key,
)
from apps.dashboard.selectors.keyset import NEWER, OLDER, Position, page_url
from apps.dashboard.selectors.runs import runs_by_id
from apps.events.models import Event, EventOutcome

SHOWN_RUNS: Final = 2


@dataclass(frozen=True, slots=True)
class EventRow:
    """`note` says what happened where no run can say it."""

    dom_id: str
    name: str
    internal_id: str
    url: str
    received_at: int
    runs: Sequence[RunView]
    more_runs: int
    note: str


@dataclass(frozen=True, slots=True)
class EventListPage:
    items: Sequence[EventRow]
    newer_url: str
    older_url: str
    is_first: bool
    is_cut: bool  # the prefix has more names than are shown


def event_list(environment_id: UUID, filters: EventFilters, at: Position[str], path: str) -> EventListPage:
    """Five queries: events, outcomes, the runs that are shown, their functions and apps."""
    prefix = filters.name.rstrip("*")
    names = names_with_prefix(environment_id, prefix) if prefix else None
    where = EventQuery(names, filters.since_ms(), filters.shows_internal)
    page = events_page(environment_id, where, at)
    outcomes = outcomes_by_key(environment_id, page.items)
    runs = _shown_runs(environment_id, outcomes)
    query = filters.query()
    return EventListPage(
        items=[_row(event, outcomes.get(event.key), runs) for event in page.items],
        newer_url=page_url(path, query, NEWER, page.newer),
        older_url=page_url(path, query, OLDER, page.older),
        is_first=page.is_first,
        is_cut=names is not None and len(names) == MAX_NAMES,
    )


def _shown_runs(environment_id: UUID, outcomes: Mapping[str, EventOutcome]) -> dict[str, RunView]:
    ids = [run_id for outcome in outcomes.values() for run_id in outcome.run_id_list()[:SHOWN_RUNS]]
    rows = list(runs_by_id(environment_id, ids).values())
    return {view.run_id: view for view in run_views(environment_id, rows)}


def _row(event: Event, outcome: EventOutcome | None, runs: Mapping[str, RunView]) -> EventRow:
    run_ids = outcome.run_id_list() if outcome else []
    return EventRow(
        dom_id=f"event-{event.key}",
        name=event.name,
        internal_id=event.internal_id,
        url=reverse("dashboard:event", args=[event.internal_id]),
        received_at=event.received_at,
        runs=[runs[run_id] for run_id in run_ids[:SHOWN_RUNS] if run_id in runs],
        more_runs=max(0, len(run_ids) - SHOWN_RUNS),
        note=_note(outcome),
    )


def _note(outcome: EventOutcome | None) -> str:
    if outcome is None:
        return "Waiting to be handled"
    counts = [
        (_count(outcome.resumed), "resumed"),
        (_count(outcome.cancelled), "cancelled"),
        (_count(outcome.skipped), "skipped"),
        (_count(outcome.failed), "failed to match"),
    ]
    said = ", ".join(f"{count} {word}" for count, word in counts if count)
    return said or ("" if outcome.run_id_list() else "Matched nothing")


def _count(raw: str) -> int:
    return 0 if raw == "[]" else len(json.loads(raw))
