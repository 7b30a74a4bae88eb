"""Runs as rows of a list and as the head of their page."""

from dataclasses import dataclass
from typing import Final

from django.urls import reverse

from apps.dashboard.presenters.statuses import Badge, run_badge
from apps.runs.choices import RunStatus
from apps.runs.models import Run

LIST: Final = "list"
_TRIGGER_ICONS: Final = {
    "Cron": "calendar-clock",
    "Batch": "layers",
    "Invoke": "corner-down-right",
    "Rerun": "rotate-ccw",
    "Replay": "history",
}
_SKIPS: Final = {
    "Singleton": "another run was in progress",
    "FunctionPaused": "the function was paused",
    "FunctionDrained": "the function was being drained",
    "environment_archived": "the environment was archived",
    "FunctionBacklogSizeLimitHit": "the function's backlog was full",
}
_SKIP_LABELS: Final = {
    "Singleton": "Already in progress",
    "FunctionPaused": "Function paused",
    "FunctionDrained": "Function drained",
    "environment_archived": "Environment archived",
    "FunctionBacklogSizeLimitHit": "Backlog full",
}


@dataclass(frozen=True, slots=True)
class RunView:
    """Times in ms; `ended_at` only of a run that has ended. `function_url` is empty for an unknown one,
    `skip` and the shorter `skip_label` for a run that was not skipped."""

    run_id: str
    url: str
    badge: Badge
    has_ended: bool
    function_name: str
    function_url: str
    function_version: int
    app_name: str
    trigger: str
    trigger_icon: str
    queued_at: int
    started_at: int | None
    ended_at: int | None
    original_run_id: str
    skip: str
    skip_label: str
    skip_existing_run_id: str


def run_url(run_id: str, list_query: str = "") -> str:
    """`list_query` is the query of the list that leads there, empty for the list of all runs."""
    return reverse("dashboard:run", args=[run_id], query={LIST: list_query} if list_query else None)


def run_view(
    run: Run, function_name: str, function_slug: str, app_name: str, list_query: str = ""
) -> RunView:
    is_skipped = run.status == RunStatus.SKIPPED
    return RunView(
        run_id=run.run_id,
        url=run_url(run.run_id, list_query),
        badge=run_badge(run.status),
        has_ended=run.has_ended,
        function_name=function_name,
        function_url=reverse("dashboard:function", args=[function_slug]) if function_slug else "",
        function_version=run.function_version,
        app_name=app_name,
        trigger=run.cron or run.event_name,
        trigger_icon=_TRIGGER_ICONS.get(run.schedule_type, "zap"),
        queued_at=run.queued_at,
        started_at=run.started_at,
        ended_at=run.ended_at if run.has_ended else None,
        original_run_id=run.original_run_id,
        skip=skip_text(run.skip_reason) if is_skipped else "",
        skip_label=_SKIP_LABELS.get(run.skip_reason, run.skip_reason) if is_skipped else "",
        skip_existing_run_id=run.skip_existing_run_id,
    )


def skip_text(reason: str) -> str:
    """Why a run was skipped, as half a sentence; an unknown reason as it is."""
    return _SKIPS.get(reason, reason)


def run_reason(run: Run) -> str:
    """Why a run was skipped or cancelled, as a sentence."""
    if run.status == RunStatus.SKIPPED:
        return f"Skipped: {skip_text(run.skip_reason)}."
    if run.status == RunStatus.CANCELLED and run.cancel_reason:
        return f"Cancelled: {run.cancel_reason}."
    return ""
