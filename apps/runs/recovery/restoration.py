"""From what history has of a run that has not ended to the run in the queue."""

from collections.abc import Mapping

import msgspec

from apps.engine.cancel_rules import cancel_pauses
from apps.engine.event_stream import parse_context
from apps.engine.flow.policy import FlowPolicy
from apps.engine.functions import FunctionSpec
from apps.engine.new_run import NewRun
from apps.engine.protocol import ids, memos
from apps.engine.protocol.dates import parse_date_ms
from apps.engine.records import StepRecorded
from apps.engine.recovery.restoring import RestoredRun, plan_flow
from apps.engine.store.views import RunMeta
from apps.runs.choices import RunStatus
from apps.runs.models import StepAttempt
from apps.runs.recovery.progress import Progress, progress_of
from apps.runs.recovery.reading import REPEATED, Child, Facts, has_ended

# The output of a run that the engine itself failed wraps the error as a memo does (protocol/errors.py).
_BY_ENGINE = b'{"error":{'


class Unrestorable(Exception):
    """History lacks what the run cannot go on without; the text says what."""


class Restorer:
    """`children` are the runs of invokes by the id of the event that invoked; `sent` the ids of those such
    events that are stored."""

    def __init__(self, policy: FlowPolicy, now: int, children: Mapping[str, Child], sent: set[str]) -> None:
        self._policy = policy
        self._now = now
        self._children = children
        self._sent = sent

    def restore(self, facts: Facts, spec: FunctionSpec | None) -> RestoredRun:
        """Raises Unrestorable."""
        if spec is None:
            raise Unrestorable("its function is not known any more")
        if not facts.events:
            raise Unrestorable("its events are gone")
        progress = progress_of(facts.attempts, facts.payloads)
        run = _new_run(facts, spec)
        plan_flow(run, self._policy)
        started_at = facts.run.started_at or progress.first_sign
        restored = RestoredRun(run, progress.memos, started_at)
        for step in progress.open_steps:
            self._reopen(restored, step)
        _queue(restored, progress, self._now)
        return restored

    def _reopen(self, restored: RestoredRun, step: StepAttempt) -> None:
        """What is not known well enough is left to the app, which asks for it again."""
        info = {key: str(value) for key, value in step.info_fields().items()}
        race = bool(step.info_fields().get("race"))
        due = parse_date_ms(info.get("sleep_until") or info.get("timeout") or "")
        if due is None:
            return
        if step.op == "Sleep":
            restored.sleep(step.step_id, due, race=race)
        elif step.op == "WaitForSignal":
            restored.signal(step.step_id, info.get("signal", ""), due, self._now, race=race)
        elif step.op == "WaitForEvent":
            after = f"{step.queued_at or step.started_at or 0}-0"
            name, expression = info.get("event_name", ""), info.get("expression", "")
            restored.wait(step.step_id, name, expression, due, after, race=race)
        else:
            self._reopen_invoke(restored, step.step_id, info, due, race=race)

    def _reopen_invoke(
        self, restored: RestoredRun, step_id: str, info: Mapping[str, str], due: int, *, race: bool
    ) -> None:
        """An invoke whose run has ended has its result at once; one whose event got lost is sent again."""
        event_id = info.get("triggering_event_id", "")
        child = self._children.get(event_id)
        if child is not None and has_ended(child.run) and child.run.status != RunStatus.SKIPPED:
            memo = _result_of(child)
            restored.memos.append((step_id, memo))
            restored.records.append(_resolved(restored.run_id, step_id, child, memo, self._now))
        elif event_id in self._sent:
            restored.invoke(step_id, due, race=race)


def _new_run(facts: Facts, spec: FunctionSpec) -> NewRun:
    row, events = facts.run, facts.events
    correlations = [parse_context(event.row.context).correlation_id for event in events]
    meta = RunMeta(
        slug=spec.slug,
        event_names=[event.row.name for event in events],
        event_ids=[event.row.internal_id for event in events],
        correlation_ids=correlations if any(correlations) and row.schedule_type not in REPEATED else [],
        schedule_type=row.schedule_type,
        original_run_id=row.original_run_id,
    )
    bodies = b"[" + b",".join(event.body for event in events) + b"]"
    run = NewRun(row.run_id, spec, meta, bodies, row.queued_at, row.scheduled_at or row.queued_at)
    if spec.cancel and len(events) == 1 and row.schedule_type != "Batch":
        event = msgspec.json.decode(events[0].body)
        run.cancels = cancel_pauses(spec, row.run_id, event, _after(facts), row.queued_at)
    return run


def _after(facts: Facts) -> str:
    """The stream id after which events cancel the run: that of its own event, else one of that time."""
    stream_id = facts.events[0].stream_id
    is_own = ids.entry_ulid(stream_id, str(facts.run.function_id)) == facts.run.run_id
    return stream_id if is_own else f"{facts.run.queued_at}-0"


def _queue(restored: RestoredRun, progress: Progress, now: int) -> None:
    """The run's next request, and the steps that run again by themselves.

    With more than one step unfinished the app plans only, so that none runs twice at a time. A step that is
    the only one goes on in the next request, as it would have in the one that got lost.
    """
    restored.errors = progress.own_errors
    restored.is_plan_only = progress.unfinished > 1
    restored.due = now if restored.started_at else restored.run.due
    only = progress.retries[0] if progress.unfinished == 1 and progress.retries else None
    for retry in progress.retries:
        if retry is not only:
            restored.retry(retry.step_id, max(retry.due_at, now), retry.attempt, race=retry.race)
    following = only or progress.own_retry
    if following is not None:
        restored.attempt, restored.due = following.attempt, max(following.due_at, now)


def _result_of(child: Child) -> bytes:
    if child.run.status == RunStatus.COMPLETED:
        return memos.data_memo(child.output)
    if child.run.status == RunStatus.FAILED and child.output:
        return child.output if child.output.startswith(_BY_ENGINE) else memos.error_memo(child.output)
    return memos.invoke_cancelled_memo()


def _resolved(run_id: str, step_id: str, child: Child, memo: bytes, now: int) -> StepRecorded:
    is_result = child.run.status == RunStatus.COMPLETED
    return StepRecorded(
        run_id,
        step_id,
        0,
        "InvokeFunction",
        "Completed" if is_result else "Failed",
        ended_at=now,
        output=child.output if is_result else b"",
        error=b"" if is_result else memo[len(b'{"error":') : -1],
        info=msgspec.json.encode({"invoked_run_id": child.run.run_id}),
    )
