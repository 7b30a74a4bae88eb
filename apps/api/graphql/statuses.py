"""Statuses of runs, and of events from those of their runs."""

from collections.abc import Sequence

from apps.runs.choices import RunStatus
from apps.runs.models import Run
from apps.runs.trace import RUN_STATUS


def run_status(run: Run) -> str:
    """A member of `FunctionRunStatus`."""
    return RUN_STATUS[RunStatus(run.status)].value


def without_skipped(runs: Sequence[Run]) -> list[Run]:
    return [run for run in runs if run.status != RunStatus.SKIPPED]


def event_status(started: Sequence[Run]) -> str:
    """A member of `EventStatus`; `started` are the runs of the event that were not skipped."""
    if not started:
        return "NO_FUNCTIONS"
    if any(not run.has_ended for run in started):
        return "RUNNING"
    failed = sum(run_status(run) == "FAILED" for run in started)
    if not failed:
        return "COMPLETED"
    return "FAILED" if failed == len(started) else "PARTIALLY_FAILED"
