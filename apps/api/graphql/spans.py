"""Spans as the API shows them, made from the nodes of a run's tree."""

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ulid_transform import ulid_to_bytes

from apps.api.graphql.output_ids import encode_output_id
from apps.runs.models import Run
from apps.runs.step_info import StepInfo, status_code, step_info
from apps.runs.trace import OutputRef, TraceNode

_STEP_OPS: Final = {
    "StepRun": "RUN",
    "Gateway": "RUN",
    "AIGateway": "AI_GATEWAY",
    "Sleep": "SLEEP",
    "WaitForEvent": "WAIT_FOR_EVENT",
    "WaitForSignal": "WAIT_FOR_SIGNAL",
    "InvokeFunction": "INVOKE",
}
_GROUPS: Final = uuid.UUID("5d7f5d0c-4d59-5f5e-9d5c-0b3a6f1f6d11")  # namespace of the ids of grouping nodes


@dataclass(frozen=True, slots=True)
class SpanResponse:
    """The app's answer to the request of one attempt; headers are not recorded."""

    status_code: int
    headers: Mapping[str, list[str]] = field(default_factory=dict)


@dataclass(slots=True)
class Span:
    """One `RunTraceSpan`; the names are those of the type's resolvers."""

    run: Run
    span_id: str
    trace_id: str
    name: str
    status: str
    queued_at: int
    started_at: int | None
    ended_at: int | None
    attempts: int = 0
    duration: int | None = None
    scheduled_at: int | None = None
    output_id: str | None = None
    step_op: str | None = None
    step_id: str | None = None
    step_info: StepInfo | None = None
    step_type: str = ""
    parent_span_id: str | None = None
    parent_span: "Span | None" = None
    response: SpanResponse | None = None
    children_spans: list["Span"] = field(default_factory=list)

    @property
    def is_root(self) -> bool:
        return self.parent_span is None


def trace_id(run_id: str) -> str:
    """32 hex digits, one per run."""
    return ulid_to_bytes(run_id).hex()


def span_id(run_id: str, step_id: str | None = None, attempt: int | None = None) -> str:
    """16 hex digits, the same whenever the node is asked for."""
    name = f"{run_id}/{step_id}/{attempt}"
    return hashlib.blake2b(name.encode(), digest_size=8).hexdigest()


def group_span_id(prefix: str, run_id: str, step_id: str) -> str:
    return f"{prefix}-{uuid.uuid5(_GROUPS, f'{run_id}/{step_id}')}"


def span_of(run: Run, node: TraceNode, name: str, parent: Span | None) -> Span:
    """What both trees say alike of a node, without children."""
    op = _STEP_OPS.get(node.op)
    return Span(
        run=run,
        span_id=span_id(run.run_id, node.step_id, node.attempt) if parent else span_id(run.run_id),
        trace_id=trace_id(run.run_id),
        name=name,
        status=node.status.value,
        queued_at=node.queued_at,
        started_at=node.started_at,
        ended_at=node.ended_at,
        attempts=node.attempt,
        duration=node.duration_ms,
        output_id=output_id(node.output),
        step_op=op,
        step_id=node.step_id or None,
        step_info=step_info(node.op, node.info, node.step_status or 0) if op else None,
        parent_span_id=parent.span_id if parent else None,
        parent_span=parent,
        response=_response(node),
    )


def output_id(ref: OutputRef | None) -> str | None:
    return encode_output_id(ref) if ref else None


def _response(node: TraceNode) -> SpanResponse | None:
    code = status_code(node.info)
    return None if code is None else SpanResponse(code)
