"""Plain rows of runs and attempts, and an outline of the tree that is built from them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from apps.runs.choices import FIRST_TERMINAL_RUN_STATUS, RunStatus, StepStatus
from apps.runs.trace import TraceNode

RUN_ID = "01M8488PZN38TBQW5R170FD360"


@dataclass(frozen=True)
class RunFacts:
    status: int = RunStatus.RUNNING
    queued_at: int = 0
    started_at: int | None = 0
    ended_at: int | None = None
    run_id: str = RUN_ID

    @property
    def has_ended(self) -> bool:
        return self.status >= FIRST_TERMINAL_RUN_STATUS


@dataclass(frozen=True)
class AttemptFacts:
    step_id: str
    attempt: int
    op: str
    status: int
    name: str
    queued_at: int | None
    started_at: int | None
    ended_at: int | None
    info: str
    max_attempts: int | None = 3


def step(
    name: str,
    status: StepStatus = StepStatus.COMPLETED,
    *,
    op: str = "StepRun",
    attempt: int = 0,
    times: tuple[int | None, int | None, int | None] = (0, 0, 0),
    info: dict[str, object] | None = None,
) -> AttemptFacts:
    """A row of the step whose id is "id-<name>"; `times` are those of queue, start and end."""
    queued_at, started_at, ended_at = times
    text = json.dumps(info) if info else ""
    return AttemptFacts(f"id-{name}", attempt, op, status, name, queued_at, started_at, ended_at, text)


def own_code(
    status: StepStatus, attempt: int = 0, times: tuple[int | None, int | None, int | None] = (0, 0, 0)
) -> AttemptFacts:
    """A row of the function's own code."""
    queued_at, started_at, ended_at = times
    return AttemptFacts("", attempt, "Function", status, "", queued_at, started_at, ended_at, "")


def outline(node: TraceNode, depth: int = 0) -> Iterator[str]:
    """One line a node: kind, name, status, times of queue, start and end, index of the last attempt."""
    times = f"{node.queued_at} {node.started_at} {node.ended_at}"
    yield f"{'  ' * depth}{node.kind} {node.name or '-'} {node.status} {times} #{node.attempt}"
    for child in node.children:
        yield from outline(child, depth + 1)
