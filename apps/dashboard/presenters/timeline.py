"""The run's timeline: rows and bars from the trace tree. Positions are percent of the shown span."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from apps.dashboard.presenters.durations import duration_text
from apps.dashboard.presenters.statuses import (
    INVOKING_BADGE,
    SLEEPING_BADGE,
    TIMED_OUT_BADGE,
    TRACE_BADGES,
    Badge,
)
from apps.runs.choices import StepStatus
from apps.runs.trace import NodeKind, TraceNode, TraceStatus

MAX_ROWS: Final = 300
TICKS: Final = (0, 25, 50, 75, 100)
_SHORTEST_PERCENT: Final = 0.4
_OPS: Final = {
    "StepRun": ("footprints", "step.run"),
    "Sleep": ("timer", "step.sleep"),
    "WaitForEvent": ("hourglass", "step.waitForEvent"),
    "WaitForSignal": ("radio-tower", "step.waitForSignal"),
    "InvokeFunction": ("corner-down-right", "step.invoke"),
    "Gateway": ("globe", "step.fetch"),
    "AIGateway": ("sparkles", "step.ai"),
    "Function": ("square-function", "function"),
}
_WAITING_OPS: Final = frozenset({"Sleep", "WaitForEvent", "WaitForSignal", "InvokeFunction"})
_STEP_BADGES: Final = {
    StepStatus.SLEEPING: SLEEPING_BADGE,
    StepStatus.INVOKING: INVOKING_BADGE,
    StepStatus.TIMED_OUT: TIMED_OUT_BADGE,
}


@dataclass(frozen=True, slots=True)
class Bar:
    """`end` is None while the bar grows; `tone` names its colour, `queued` the time before a start."""

    start: int
    end: int | None
    tone: str
    x: str
    width: str


@dataclass(frozen=True, slots=True)
class Row:
    """`key` names the row in the URL: "<attempt>~<step id>", without an attempt the step as a whole."""

    key: str
    dom_id: str
    depth: int
    node: TraceNode
    name: str
    icon: str
    op_label: str
    badge: Badge
    bars: tuple[Bar, ...]
    length: str
    tip: str
    retries: int

    @property
    def shows_op(self) -> bool:
        """The plain kind goes without saying, and some badges say the kind themselves."""
        is_plain = self.node.op == "StepRun" or self.icon == self.badge.icon
        return self.node.kind is NodeKind.STEP and not is_plain

    @property
    def since(self) -> int:
        """From when an open row's length counts."""
        return self.node.started_at or self.node.queued_at


@dataclass(frozen=True, slots=True)
class Timeline:
    """`start` and `end` in ms; `hidden` counts the earlier rows that the cap left out."""

    start: int
    end: int
    is_growing: bool
    ticks: tuple[tuple[int, str], ...]
    rows: tuple[Row, ...]
    hidden: int


@dataclass(frozen=True, slots=True)
class _Scale:
    start: int
    end: int

    def percent(self, at: int) -> float:
        return (at - self.start) / max(1, self.end - self.start) * 100


def build_timeline(root: TraceNode, run_name: str, now_ms: int, max_rows: int | None = MAX_ROWS) -> Timeline:
    """`root` is that of `apps.runs.trace.run_tree`; a run that has not ended is drawn up to `now_ms`.
    Of more rows than `max_rows` the last ones are shown.
    """
    end = root.ended_at or max(now_ms, root.queued_at)
    scale = _Scale(root.queued_at, max(end, _last_end(root)))
    nodes = list(_flatten(root.steps, depth=0))
    hidden = 0 if max_rows is None else max(0, len(nodes) - max_rows)
    rows = [_row(root, 0, run_name, scale), *(_row(node, depth, "", scale) for node, depth in nodes[hidden:])]
    return Timeline(
        start=scale.start,
        end=scale.end,
        is_growing=root.ended_at is None,
        ticks=tuple((tick, duration_text((scale.end - scale.start) * tick // 100)) for tick in TICKS),
        rows=tuple(rows),
        hidden=hidden,
    )


def _last_end(root: TraceNode) -> int:
    return max((step.ended_at or 0 for step in root.steps), default=0)


def _flatten(nodes: Sequence[TraceNode], depth: int) -> Iterator[tuple[TraceNode, int]]:
    for node in nodes:
        yield node, depth
        yield from _flatten(node.children, depth + 1)


def _row(node: TraceNode, depth: int, run_name: str, scale: _Scale) -> Row:
    icon, op_label = _OPS.get(node.op, ("footprints", "step"))
    badge = node_badge(node)
    key = row_key(node)
    name = run_name or _node_name(node)
    return Row(
        key=key,
        dom_id="row-" + quote(key, safe=""),
        depth=depth,
        node=node,
        name=name,
        icon="chart-gantt" if node.kind is NodeKind.RUN else icon,
        op_label=op_label,
        badge=badge,
        bars=tuple(_bars(node, badge, scale)),
        length=_length(node),
        tip=_tip(node, name, badge),
        retries=max(0, node.attempt) if node.kind in (NodeKind.STEP, NodeKind.FUNCTION) else 0,
    )


def row_key(node: TraceNode) -> str:
    if node.kind is NodeKind.RUN:
        return "run"
    return f"{node.attempt if node.kind is NodeKind.ATTEMPT else ''}~{node.step_id}"


def node_badge(node: TraceNode) -> Badge:
    """A sleeping, invoking or timed-out step says so, although its trace status is a coarser one."""
    own = _STEP_BADGES.get(StepStatus(node.step_status)) if node.step_status is not None else None
    is_coarse = node.status in (TraceStatus.RUNNING, TraceStatus.COMPLETED)
    return own if own is not None and is_coarse else TRACE_BADGES[node.status]


def _node_name(node: TraceNode) -> str:
    if node.kind is NodeKind.ATTEMPT:
        return f"Attempt {node.attempt + 1}"
    if node.kind is NodeKind.FUNCTION:
        return "Function error" if node.status is TraceStatus.FAILED else "Finalization"
    return node.name or node.step_id


def _bars(node: TraceNode, badge: Badge, scale: _Scale) -> Iterator[Bar]:
    """Time in the queue first, then the time since the start; a planned retry has only the former."""
    started = node.started_at
    if started is None:
        yield _bar(node.queued_at, node.ended_at, "queued", scale)
        return
    if started > node.queued_at:
        yield _bar(node.queued_at, started, "queued", scale)
    yield _bar(started, node.ended_at, _tone(node, badge), scale)


def _tone(node: TraceNode, badge: Badge) -> str:
    """Time in which the run waited for something is told apart from time in which code ran."""
    return "wait" if node.op in _WAITING_OPS and badge.tone == "ok" else badge.tone


def _bar(start: int, end: int | None, tone: str, scale: _Scale) -> Bar:
    x = min(100 - _SHORTEST_PERCENT, max(0.0, scale.percent(start)))
    width = min(100 - x, max(_SHORTEST_PERCENT, scale.percent(end or scale.end) - x))
    return Bar(start, end, tone, f"{x:.3f}%", f"{width:.3f}%")


def _length(node: TraceNode) -> str:
    """Empty while open: the page counts on from the start by itself."""
    if node.ended_at is None:
        return ""
    return duration_text(max(0, node.ended_at - (node.started_at or node.queued_at)))


def _tip(node: TraceNode, name: str, badge: Badge) -> str:
    lines = [name, badge.label]
    if node.started_at is not None and node.started_at > node.queued_at:
        lines.append(f"Queued for {duration_text(node.started_at - node.queued_at)}")
    if node.ended_at is not None:
        lines.append(f"Took {_length(node)}")
    if node.max_attempts:
        lines.append(f"Attempt {node.attempt + 1} of {node.max_attempts}")
    return "\n".join(lines)


def failing_step(root: TraceNode) -> str:
    """Of a failed run: where it failed, as a sentence; else empty."""
    if root.status is not TraceStatus.FAILED:
        return ""
    failed = [node for node in root.steps if node.status is TraceStatus.FAILED and node.kind is NodeKind.STEP]
    if not failed:
        return "Failed in the function's own code."
    count = len(failed[-1].attempts)
    return f"Failed in step {_node_name(failed[-1])} after {count} attempt{'s' if count > 1 else ''}."
