"""The opened row of a timeline: facts by kind of step, and where its links lead."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.urls import reverse

from apps.dashboard.presenters.durations import duration_text
from apps.runs.step_info import (
    InvokeInfo,
    SleepInfo,
    StepInfo,
    WaitForEventInfo,
    WaitForSignalInfo,
    status_code,
    step_info,
)
from apps.runs.trace import NodeKind, TraceNode

_CODE: Final = "mono small"


@dataclass(frozen=True, slots=True)
class Fact:
    """A labelled value: a time (`at_ms`), a link (`url`) or text."""

    label: str
    text: str = ""
    at_ms: int | None = None
    url: str = ""
    css: str = ""
    is_wide: bool = False


def step_facts(node: TraceNode) -> list[Fact]:
    facts = list(_own_facts(step_info(node.op, node.info, node.step_status or 0)))
    if node.started_at is not None and node.started_at > node.queued_at:
        facts.append(Fact("Waited in queue", duration_text(node.started_at - node.queued_at)))
    if node.duration_ms is not None:
        facts.append(Fact("Took", duration_text(node.duration_ms)))
    if (code := status_code(node.info)) is not None:
        facts.append(Fact("HTTP status", str(code)))
    return facts


def attempts_text(node: TraceNode) -> str:
    """`2 of 5`; empty where it would say nothing: the only attempt of something that is not retried."""
    if node.max_attempts and node.max_attempts > 1:
        return f"{node.attempt + 1} of {node.max_attempts}"
    return str(node.attempt + 1) if node.attempt or node.kind is NodeKind.ATTEMPT else ""


def _own_facts(info: StepInfo | None) -> Iterator[Fact]:
    match info:
        case SleepInfo():
            yield Fact("Sleeps until", at_ms=info.sleep_until)
        case WaitForEventInfo():
            yield from _event_wait(info)
        case WaitForSignalInfo():
            yield Fact("Signal", info.signal, css=_CODE)
            yield from _deadline(info.timeout, info.timed_out)
        case InvokeInfo():
            yield from _invoke(info)


def _event_wait(info: WaitForEventInfo) -> Iterator[Fact]:
    yield Fact("Event", info.event_name, css=_CODE)
    if info.expression:
        yield Fact("Matches when", info.expression, css=_CODE, is_wide=True)
    if info.found_event_id:
        yield _event_link("Matched event", info.found_event_id)
    yield from _deadline(info.timeout, info.timed_out)


def _invoke(info: InvokeInfo) -> Iterator[Fact]:
    if info.run_id:
        yield Fact("Invoked run", info.run_id, url=reverse("dashboard:run", args=[info.run_id]))
    yield _event_link("Triggering event", info.triggering_event_id)
    if info.return_event_id:
        yield _event_link("Return event", info.return_event_id)
    yield from _deadline(info.timeout, info.timed_out)


def _deadline(timeout: int, timed_out: bool | None) -> Iterator[Fact]:
    yield Fact("Timed out at" if timed_out else "Times out", at_ms=timeout)


def _event_link(label: str, event_id: str) -> Fact:
    return Fact(label, event_id, url=reverse("dashboard:event", args=[event_id]))
