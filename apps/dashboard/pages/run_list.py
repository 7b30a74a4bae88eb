"""The runs list, also as part of a function's page."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils.http import urlencode

from apps.dashboard.pages.filters import RunFilters
from apps.dashboard.pages.naming import names_of
from apps.dashboard.presenters.runs import RunView, run_view
from apps.dashboard.selectors import runs as selectors
from apps.dashboard.selectors.keyset import NEWER, OLDER, Page, Position, page_url
from apps.dashboard.selectors.runs import RunCursor, RunQuery, runs_page
from apps.registry.models import App, Function
from apps.runs.models import Run


@dataclass(frozen=True, slots=True)
class RunListPage:
    items: Sequence[RunView]
    newer_url: str
    older_url: str
    is_first: bool


def run_list(environment_id: UUID, filters: RunFilters, at: Position[RunCursor], path: str) -> RunListPage:
    """Three queries (runs, functions, apps), one more for each filter that names something."""
    page = runs_page(environment_id, _query(environment_id, filters), at)
    query = filters.query()
    return RunListPage(
        items=run_views(environment_id, page.items, urlencode(query, doseq=True)),
        newer_url=page_url(path, query, NEWER, page.newer),
        older_url=page_url(path, query, OLDER, page.older),
        is_first=page.is_first,
    )


def recent_runs(environment_id: UUID, function: Function, limit: int) -> RunListPage:
    page: Page[Run] = runs_page(environment_id, RunQuery(function_ids=[function.id]), Position(), limit)
    list_query = urlencode({"function": function.slug})
    return RunListPage(run_views(environment_id, page.items, list_query), "", "", is_first=True)


def run_beside(environment_id: UUID, filters: RunFilters, run: Run, *, is_newer: bool) -> str:
    """The id of the run above or below that one in the list with these filters; empty at its end."""
    here = RunCursor(run.queued_at, run.run_id)
    at = Position(after=here) if is_newer else Position(before=here)
    found = selectors.run_beside(environment_id, _query(environment_id, filters), at)
    return found.run_id if found else ""


def run_views(environment_id: UUID, runs: Sequence[Run], list_query: str = "") -> list[RunView]:
    names = names_of(environment_id, (run.function_id for run in runs), (run.app_id for run in runs))
    return [
        run_view(
            run,
            names.function(run.function_id),
            names.slug(run.function_id),
            names.app(run.app_id),
            list_query,
        )
        for run in runs
    ]


def _query(environment_id: UUID, filters: RunFilters) -> RunQuery:
    return RunQuery(
        statuses=filters.status_codes(),
        function_ids=_function_ids(environment_id, filters.function) if filters.function else None,
        app_ids=_app_ids(environment_id, filters.app) if filters.app else None,
        since_ms=filters.since_ms(),
    )


def _function_ids(environment_id: UUID, slug: str) -> list[UUID]:
    """Archived ones too: their runs remain."""
    rows = Function.objects.filter(environment_id=environment_id, slug=slug)
    return list(rows.values_list("id", flat=True))


def _app_ids(environment_id: UUID, name: str) -> list[UUID]:
    rows = App.objects.filter(environment_id=environment_id, name=name)
    return list(rows.values_list("id", flat=True))
