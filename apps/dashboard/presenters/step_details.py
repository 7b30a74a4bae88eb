"""An opened row of the timeline: the facts of the step and its payloads."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.urls import reverse

from apps.dashboard.presenters.payloads import CodeBlock, ErrorView, code_block, error_view
from apps.dashboard.presenters.statuses import Badge
from apps.dashboard.presenters.steps import Fact, attempts_text, step_facts
from apps.dashboard.presenters.timeline import Row
from apps.runs.models import Run, StepPayload
from apps.runs.trace import NodeKind

_RERUNNABLE: Final = frozenset({"StepRun", "Gateway", "AIGateway"})


@dataclass(frozen=True, slots=True)
class StepDetail:
    """`rerun_url` is empty where a run cannot begin at this step."""

    row: Row
    dom_id: str
    badge: Badge
    op_label: str
    attempts_text: str
    facts: list[Fact]
    step_id: str
    error: ErrorView | None
    blocks: list[CodeBlock]
    rerun_url: str


def step_detail(run: Run, row: Row, payload: StepPayload | None) -> StepDetail:
    node = row.node
    dom_id = f"detail-{row.dom_id}"
    return StepDetail(
        row=row,
        dom_id=dom_id,
        badge=row.badge,
        op_label=row.op_label,
        attempts_text=attempts_text(node),
        facts=step_facts(node),
        step_id=node.step_id,
        error=error_view(payload.error, f"{dom_id}-error") if payload and payload.error else None,
        blocks=list(_blocks(run, row, payload, dom_id)) if payload else [],
        rerun_url=_rerun_url(run, row),
    )


def _blocks(run: Run, row: Row, payload: StepPayload, dom_id: str) -> Iterator[CodeBlock]:
    for part, label, raw in (("input", "Input", payload.input), ("output", "Output", payload.output)):
        if raw:
            query = {"part": part, "step": row.node.step_id, "attempt": row.node.attempt}
            url = reverse("dashboard:run-payload", args=[run.run_id], query=query)
            yield code_block(f"{dom_id}-{part}", label, raw, url)


def _rerun_url(run: Run, row: Row) -> str:
    """Only from whole steps that ran code, of runs that have ended."""
    node = row.node
    if node.kind is not NodeKind.STEP or node.op not in _RERUNNABLE or not run.has_ended:
        return ""
    return reverse("dashboard:run-rerun", args=[run.run_id], query={"step": node.step_id})
