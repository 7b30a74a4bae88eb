"""The tree of a run (spec 02, 10.5): pure code over the rows of a run and its attempts, no payloads.

Faces name and number the nodes in their own way; what is shared is here: which nodes there are,
their order, their status and their times. Times are milliseconds since the epoch.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby
from typing import Final, Protocol

from apps.runs.choices import RunStatus, StepStatus


class TraceStatus(StrEnum):
    """Members of `RunTraceSpanStatus`."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    WAITING = "WAITING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    SKIPPED = "SKIPPED"


class NodeKind(StrEnum):
    RUN = "run"
    STEP = "step"
    ATTEMPT = "attempt"
    FUNCTION = "function"  # the outcome of the function's own code


@dataclass(frozen=True, slots=True)
class OutputRef:
    """Names the payloads of one node; `step_id` None: of the run itself, empty: of its own code."""

    run_id: str
    step_id: str | None = None
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class TraceNode:
    """`attempt` is the index of the last attempt; `attempts` holds one node per attempt, also of a single
    one; `is_planned` marks the retry that is still to come; `ended_at` is set on ended nodes only."""

    kind: NodeKind
    status: TraceStatus
    name: str = ""
    op: str = ""
    step_id: str = ""
    attempt: int = 0
    queued_at: int = 0
    started_at: int | None = None
    ended_at: int | None = None
    step_status: int | None = None
    info: str = ""
    max_attempts: int | None = None
    output: OutputRef | None = None
    is_planned: bool = False
    attempts: tuple["TraceNode", ...] = ()
    steps: tuple["TraceNode", ...] = ()

    @property
    def children(self) -> tuple["TraceNode", ...]:
        """What hangs below the node: a single attempt is not shown beside its step."""
        return self.steps or (self.attempts if len(self.attempts) > 1 else ())

    @property
    def duration_ms(self) -> int | None:
        if self.ended_at is None or self.started_at is None:
            return None
        return max(0, self.ended_at - self.started_at)


class RunRow(Protocol):
    @property
    def run_id(self) -> str: ...
    @property
    def status(self) -> int: ...
    @property
    def queued_at(self) -> int: ...
    @property
    def started_at(self) -> int | None: ...
    @property
    def ended_at(self) -> int | None: ...
    @property
    def has_ended(self) -> bool: ...


class AttemptRow(Protocol):
    @property
    def step_id(self) -> str: ...
    @property
    def attempt(self) -> int: ...
    @property
    def op(self) -> str: ...
    @property
    def status(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def queued_at(self) -> int | None: ...
    @property
    def started_at(self) -> int | None: ...
    @property
    def ended_at(self) -> int | None: ...
    @property
    def max_attempts(self) -> int | None: ...
    @property
    def info(self) -> str: ...


RUN_STATUS: Final = {
    RunStatus.UNKNOWN: TraceStatus.QUEUED,
    RunStatus.SCHEDULED: TraceStatus.QUEUED,
    RunStatus.RUNNING: TraceStatus.RUNNING,
    RunStatus.COMPLETED: TraceStatus.COMPLETED,
    RunStatus.FAILED: TraceStatus.FAILED,
    RunStatus.OVERFLOWED: TraceStatus.FAILED,
    RunStatus.CANCELLED: TraceStatus.CANCELLED,
    RunStatus.SKIPPED: TraceStatus.SKIPPED,
}

# A sleep shows as running (spec 03, 6.7), a wait as waiting.
_STEP_STATUS: Final = {
    StepStatus.QUEUED: TraceStatus.QUEUED,
    StepStatus.RUNNING: TraceStatus.RUNNING,
    StepStatus.WAITING: TraceStatus.WAITING,
    StepStatus.SLEEPING: TraceStatus.RUNNING,
    StepStatus.INVOKING: TraceStatus.RUNNING,
    StepStatus.CANCELLED: TraceStatus.CANCELLED,
    StepStatus.COMPLETED: TraceStatus.COMPLETED,
    StepStatus.TIMED_OUT: TraceStatus.COMPLETED,
    StepStatus.ERRORED: TraceStatus.FAILED,
    StepStatus.FAILED: TraceStatus.FAILED,
}

_WITHOUT_OUTPUT: Final = frozenset({"Sleep"})
_OUTCOMES: Final = frozenset({StepStatus.COMPLETED, StepStatus.FAILED})


def run_tree(run: RunRow, attempts: Iterable[AttemptRow]) -> TraceNode:
    """The root, whose `steps` are the steps by queue time and then the function's own outcome."""
    by_step = _grouped(attempts)
    own_code = by_step.pop("", [])
    steps = sorted((_step_node(run, rows) for rows in by_step.values()), key=_position)
    if own_code:
        steps.append(_function_node(run, own_code, steps))
    return TraceNode(
        kind=NodeKind.RUN,
        status=RUN_STATUS[RunStatus(run.status)],
        queued_at=run.queued_at,
        started_at=run.started_at,
        ended_at=run.ended_at if run.has_ended else None,
        output=OutputRef(run.run_id),
        steps=tuple(steps),
    )


def _grouped(attempts: Iterable[AttemptRow]) -> dict[str, list[AttemptRow]]:
    ordered = sorted(attempts, key=lambda row: (row.step_id, row.attempt))
    return {step_id: list(rows) for step_id, rows in groupby(ordered, key=lambda row: row.step_id)}


def _position(node: TraceNode) -> tuple[int, str]:
    return node.queued_at, node.step_id


def _step_node(run: RunRow, rows: Sequence[AttemptRow]) -> TraceNode:
    attempts = _attempt_nodes(run, rows)
    last = rows[-1]
    if last.status == StepStatus.ERRORED and not run.has_ended:
        attempts.append(_planned_retry(attempts[-1]))
    return _group(run, attempts, _group_status(run, attempts))


def _group_status(run: RunRow, attempts: Sequence[TraceNode]) -> TraceStatus:
    last = attempts[-1]
    if run.has_ended:
        return TraceStatus.CANCELLED if last.step_status == StepStatus.ERRORED else last.status
    return TraceStatus.RUNNING if len(attempts) > 1 and last.status is TraceStatus.QUEUED else last.status


def _group(run: RunRow, attempts: Sequence[TraceNode], status: TraceStatus) -> TraceNode:
    """One node over all attempts: begins with the first, ends with the last, shows the last one's output."""
    first, last = attempts[0], attempts[-1]
    is_open = status in (TraceStatus.QUEUED, TraceStatus.RUNNING, TraceStatus.WAITING)
    return replace(
        last,
        kind=NodeKind.STEP,
        status=status,
        name=last.name or first.name,
        queued_at=first.queued_at,
        started_at=first.started_at,
        ended_at=None if is_open else last.ended_at or run.ended_at,
        is_planned=False,
        attempts=tuple(attempts),
    )


def _function_node(run: RunRow, rows: Sequence[AttemptRow], steps: Sequence[TraceNode]) -> TraceNode:
    """The status of an ended run is the outcome of its code, whatever the last attempt's row says."""
    attempts = _attempt_nodes(run, _up_to_outcome(rows))
    last = attempts[-1]
    if last.step_status == StepStatus.ERRORED and not run.has_ended and not _went_on(last, steps):
        attempts.append(_planned_retry(last))
    status = RUN_STATUS[RunStatus(run.status)] if run.has_ended else _open_function_status(last)
    return replace(_group(run, attempts, status), kind=NodeKind.FUNCTION)


def _open_function_status(last: TraceNode) -> TraceStatus:
    return TraceStatus.RUNNING if last.step_status == StepStatus.ERRORED else last.status


def _up_to_outcome(rows: Sequence[AttemptRow]) -> Sequence[AttemptRow]:
    """Attempts are counted anew for every request: rows after an outcome belong to an earlier request."""
    for index, row in enumerate(rows):
        if row.status in _OUTCOMES:
            return rows[: index + 1]
    return rows


def _went_on(failed: TraceNode, steps: Sequence[TraceNode]) -> bool:
    """The retry of a failed request has happened when steps were queued after the failure."""
    return failed.ended_at is not None and any(step.queued_at >= failed.ended_at for step in steps)


def _attempt_nodes(run: RunRow, rows: Sequence[AttemptRow]) -> list[TraceNode]:
    return [_attempt_node(run, row) for row in rows]


def _attempt_node(run: RunRow, row: AttemptRow) -> TraceNode:
    status = _attempt_status(run, row)
    has_ended = row.status >= StepStatus.CANCELLED or run.has_ended
    return TraceNode(
        kind=NodeKind.ATTEMPT,
        status=status,
        name=row.name,
        op=row.op,
        step_id=row.step_id,
        attempt=row.attempt,
        queued_at=row.queued_at or row.started_at or run.queued_at,
        started_at=row.started_at,
        ended_at=(row.ended_at or run.ended_at) if has_ended else None,
        step_status=row.status,
        info=row.info,
        max_attempts=row.max_attempts,
        output=_output(run, row),
    )


def _attempt_status(run: RunRow, row: AttemptRow) -> TraceStatus:
    """Nothing stays open in a run that has ended."""
    if run.has_ended and row.status < StepStatus.CANCELLED:
        return TraceStatus.CANCELLED
    return _STEP_STATUS[StepStatus(row.status)]


def _output(run: RunRow, row: AttemptRow) -> OutputRef | None:
    if row.status < StepStatus.COMPLETED or row.op in _WITHOUT_OUTPUT:
        return None
    return OutputRef(run.run_id, row.step_id, row.attempt)


def _planned_retry(failed: TraceNode) -> TraceNode:
    return replace(
        failed,
        status=TraceStatus.QUEUED,
        attempt=failed.attempt + 1,
        queued_at=failed.ended_at or failed.queued_at,
        started_at=None,
        ended_at=None,
        step_status=StepStatus.QUEUED,
        output=None,
        is_planned=True,
    )
