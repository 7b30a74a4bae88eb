"""The page of one run: its head, timeline, opened steps, trigger events and output."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from uuid import UUID

from django.http import QueryDict
from django.urls import reverse
from django.utils.http import urlencode

from apps.dashboard.pages.filters import run_filters
from apps.dashboard.pages.run_list import run_views
from apps.dashboard.presenters.flow import FlowView, flow_view
from apps.dashboard.presenters.payloads import CodeBlock, ErrorView, code_block, error_view
from apps.dashboard.presenters.runs import LIST, RunView, run_reason
from apps.dashboard.presenters.step_details import StepDetail, step_detail
from apps.dashboard.presenters.timeline import MAX_ROWS, Row, Timeline, build_timeline, failing_step
from apps.dashboard.selectors.runs import opened_payloads
from apps.engine import clock
from apps.events import selectors as events
from apps.runs import selectors as runs
from apps.runs.choices import RunStatus
from apps.runs.models import Run, StepPayload
from apps.runs.trace import NodeKind, TraceNode, run_tree

MAX_TRIGGER_EVENTS: Final = 10
MAX_OPEN_ROWS: Final = 50
OPEN: Final = "open"
ALL_ROWS: Final = "all"


@dataclass(frozen=True, slots=True)
class TimelineItem:
    """A row; `detail` is set while it is open, `toggle_url` empty where there is nothing to open."""

    row: Row
    toggle_url: str
    detail: StepDetail | None


@dataclass(frozen=True, slots=True)
class TriggerEvent:
    name: str
    internal_id: str
    url: str
    received_at: int
    block: CodeBlock | None


class RunPage:
    """What the templates of a run ask for, each part read when it is first asked for.

    `query` is the URL's: `open` names the opened rows of the timeline, `all` lifts its cap, `list` is the
    query of the list that the person came from. Without
    `shows_data` everything that comes from payloads is left out: bodies, outputs, errors, values of keys.
    """

    def __init__(self, environment_id: UUID, run: Run, query: QueryDict, *, shows_data: bool = True) -> None:
        self.shows_data = shows_data
        self._environment_id = environment_id
        self._run = run
        self._open = query.getlist(OPEN)[:MAX_OPEN_ROWS]
        self._shows_all = ALL_ROWS in query
        self._list = run_filters(QueryDict(query.get(LIST, ""))).query()

    @cached_property
    def view(self) -> RunView:
        return run_views(self._environment_id, [self._run])[0]

    @property
    def list_url(self) -> str:
        return reverse("dashboard:runs", query=self._list)

    @property
    def newer_url(self) -> str:
        return self._beside("newer")

    @property
    def older_url(self) -> str:
        return self._beside("older")

    def _beside(self, to: str) -> str:
        """Found when it is asked for: lists grow while a run is looked at."""
        query = {"to": to, **self._list_query()}
        return reverse("dashboard:run-beside", args=[self._run.run_id], query=query)

    def _list_query(self) -> dict[str, str]:
        return {LIST: urlencode(self._list, doseq=True)} if self._list else {}

    @property
    def reason(self) -> str:
        return run_reason(self._run) or failing_step(self.root)

    @cached_property
    def flow(self) -> FlowView | None:
        return flow_view(self._run.flow) if self.shows_data else None

    @property
    def scheduled_at(self) -> int | None:
        """The due time of a run that was planned for later than its queueing."""
        due = self._run.scheduled_at
        return due if due is not None and due > self._run.queued_at + 1000 else None

    @cached_property
    def root(self) -> TraceNode:
        return run_tree(self._run, runs.run_steps(self._environment_id, self._run.run_id))

    @property
    def step_count(self) -> int:
        return sum(node.kind is NodeKind.STEP for node in self.root.steps)

    @cached_property
    def timeline(self) -> Timeline:
        cap = None if self._shows_all else MAX_ROWS
        return build_timeline(self.root, self.view.function_name, clock.now_ms(), cap)

    @property
    def all_rows_url(self) -> str:
        return self._url(self._open, shows_all=True)

    def timeline_items(self) -> list[TimelineItem]:
        opened = [row.node for row in self.timeline.rows if row.key in self._open]
        attempts = {(node.step_id, node.attempt) for node in opened}
        payloads = opened_payloads(self._run, attempts) if self.shows_data else {}
        return [self._item(row, payloads) for row in self.timeline.rows]

    def _item(self, row: Row, payloads: dict[tuple[str, int], StepPayload]) -> TimelineItem:
        node = row.node
        if node.kind is NodeKind.RUN or node.is_planned:
            return TimelineItem(row, "", None)
        if row.key not in self._open:
            return TimelineItem(row, self._url([*self._open, row.key]), None)
        rest = [key for key in self._open if key != row.key]
        detail = step_detail(self._run, row, payloads.get((node.step_id, node.attempt)))
        return TimelineItem(row, self._url(rest), detail)

    def _url(self, opened: Sequence[str], shows_all: bool | None = None) -> str:
        query: dict[str, str | list[str]] = {OPEN: list(opened)} if opened else {}
        if self._shows_all if shows_all is None else shows_all:
            query[ALL_ROWS] = "1"
        query |= self._list_query()
        path = reverse("dashboard:run", args=[self._run.run_id])
        return f"{path}?{urlencode(query, doseq=True)}" if query else path

    @cached_property
    def _output(self) -> str:
        if not self._run.has_output or not self.shows_data:
            return ""
        return runs.run_output(self._environment_id, self._run.run_id) or ""

    @property
    def failure(self) -> ErrorView | None:
        """The error of a failed run; its output is the error object."""
        if self._run.status != RunStatus.FAILED or not self.shows_data:
            return None
        return error_view(self._output, "run-error")

    @property
    def shows_output(self) -> bool:
        """A failed run's output is its error, which stands above."""
        return self._run.status != RunStatus.FAILED and self.shows_data

    @property
    def output_block(self) -> CodeBlock | None:
        if not self._output or self._run.status == RunStatus.FAILED:
            return None
        download = reverse("dashboard:run-payload", args=[self._run.run_id], query={"part": "output"})
        return code_block("run-output", "Output", self._output, download)

    @cached_property
    def _event_ids(self) -> list[str]:
        return runs.run_event_ids(self._environment_id, [self._run.run_id])[self._run.run_id]

    @property
    def has_more_trigger_events(self) -> bool:
        return len(self._event_ids) > MAX_TRIGGER_EVENTS

    @cached_property
    def trigger_events(self) -> list[TriggerEvent]:
        ids = self._event_ids[:MAX_TRIGGER_EVENTS]
        known = events.events_by_id(self._environment_id, ids)
        keys = [event.key for event in known.values()] if self.shows_data else []
        bodies = events.event_bodies(self._environment_id, keys)
        return [
            TriggerEvent(
                name=event.name,
                internal_id=event.internal_id,
                url=reverse("dashboard:event", args=[event.internal_id]),
                received_at=event.received_at,
                block=_event_block(index, event.internal_id, bodies.get(event.key)),
            )
            for index, event in enumerate(known[event_id] for event_id in ids if event_id in known)
        ]


def _event_block(index: int, internal_id: str, body: str | None) -> CodeBlock | None:
    if body is None:
        return None
    download = reverse("dashboard:event-payload", args=[internal_id])
    return code_block(f"trigger-{index}", "Event", body, download)
