"""How each status looks: words, a tone (a set of colours in tokens.css) and an icon."""

from dataclasses import dataclass
from typing import Final

from apps.runs.choices import RunStatus
from apps.runs.trace import TraceStatus


@dataclass(frozen=True, slots=True)
class Badge:
    """`tone` is one of ok, bad, busy, wait, quiet."""

    label: str
    tone: str
    icon: str

    @property
    def tone_class(self) -> str:
        return f"tone-{self.tone}"


_QUEUED: Final = Badge("Queued", "quiet", "circle-dashed")
_RUNNING: Final = Badge("Running", "busy", "loader-circle")
_COMPLETED: Final = Badge("Completed", "ok", "circle-check")
_FAILED: Final = Badge("Failed", "bad", "circle-x")
_CANCELLED: Final = Badge("Cancelled", "quiet", "ban")
_SKIPPED: Final = Badge("Skipped", "quiet", "skip-forward")

RUN_BADGES: Final = {
    RunStatus.UNKNOWN: _QUEUED,
    RunStatus.SCHEDULED: _QUEUED,
    RunStatus.RUNNING: _RUNNING,
    RunStatus.COMPLETED: _COMPLETED,
    RunStatus.FAILED: _FAILED,
    RunStatus.OVERFLOWED: Badge("Overflowed", "bad", "circle-x"),
    RunStatus.CANCELLED: _CANCELLED,
    RunStatus.SKIPPED: _SKIPPED,
}

TRACE_BADGES: Final = {
    TraceStatus.QUEUED: _QUEUED,
    TraceStatus.RUNNING: _RUNNING,
    TraceStatus.WAITING: Badge("Waiting", "wait", "hourglass"),
    TraceStatus.COMPLETED: _COMPLETED,
    TraceStatus.FAILED: _FAILED,
    TraceStatus.CANCELLED: _CANCELLED,
    TraceStatus.SKIPPED: _SKIPPED,
}

SLEEPING_BADGE: Final = Badge("Sleeping", "wait", "timer")
INVOKING_BADGE: Final = Badge("Invoking", "wait", "corner-down-right")
TIMED_OUT_BADGE: Final = Badge("Timed out", "wait", "hourglass")


def run_badge(status: int) -> Badge:
    return RUN_BADGES[RunStatus(status)]


@dataclass(frozen=True, slots=True)
class StatusFilter:
    """One choice of the runs list's filter: its value in the URL and what it selects."""

    value: str
    badge: Badge
    statuses: tuple[RunStatus, ...]


STATUS_FILTERS: Final = (
    StatusFilter("queued", _QUEUED, (RunStatus.SCHEDULED,)),
    StatusFilter("running", _RUNNING, (RunStatus.RUNNING,)),
    StatusFilter("completed", _COMPLETED, (RunStatus.COMPLETED,)),
    StatusFilter("failed", _FAILED, (RunStatus.FAILED, RunStatus.OVERFLOWED)),
    StatusFilter("cancelled", _CANCELLED, (RunStatus.CANCELLED,)),
    StatusFilter("skipped", _SKIPPED, (RunStatus.SKIPPED,)),
)
