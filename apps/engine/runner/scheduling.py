"""From (function, event) to the one Lua call that schedules a run (spec 02, 1.4 to 1.7)."""

import hashlib

from apps.engine.cancel_rules import cancel_pauses
from apps.engine.event_stream import EventContext, encode_context
from apps.engine.flow import admission
from apps.engine.flow.admission import Batched, Debounced, Flow
from apps.engine.flow.keys import KeyReader
from apps.engine.flow.policy import FlowPolicy
from apps.engine.functions import Batch, Debounce, FunctionSpec
from apps.engine.new_run import NewRun
from apps.engine.protocol import ids
from apps.engine.runner.incoming import Incoming
from apps.engine.store.views import RunMeta

# Events dated less than this ahead start at once (spec 01, 5.6).
_FUTURE_TOLERANCE_MS = 2_000

_SCHEDULE_TYPES = {"cron": "Cron", "invoke": "Invoke", "debounce": "Debounce", "batch": "Batch"}


def plan_run(spec: FunctionSpec, incoming: Incoming, now: int, policy: FlowPolicy) -> NewRun:
    """The run for a match, with the flow control that it meets."""
    # An entry that is handled again, because the queue forgot that it was, leads to the same run in history.
    run_id = ids.entry_ulid(incoming.stream_id, spec.id)
    meta = RunMeta(
        slug=spec.slug,
        event_names=incoming.event_names,
        event_ids=incoming.event_ids,
        correlation_ids=incoming.correlation_ids,
        schedule_type=schedule_type_of(incoming),
    )
    queued_at = min(now, incoming.received_at)
    run = NewRun(run_id, spec, meta, incoming.events_json, queued_at, _due_at(incoming, now))
    run.entry, run.idempotency = incoming.stream_id, _idempotency_key(spec, incoming)
    run.cron = incoming.entry.context.cron
    if incoming.is_batch or admission.needs_flow(spec):
        _plan_flow(run, incoming, policy)
    if spec.cancel and not incoming.is_batch:
        run.cancels = cancel_pauses(spec, run_id, incoming.event, incoming.stream_id, now)
    return run


def _plan_flow(run: NewRun, incoming: Incoming, policy: FlowPolicy) -> None:
    spec, flow = run.spec, Flow(collected=incoming.is_batch)
    reader = KeyReader(lambda: incoming.event)
    run.flow, run.problems = flow, reader.problems
    is_held_back = incoming.entry.context.is_held_back
    # Nothing is added to the batches of a function that is drained (02, 4.4): its events are skipped.
    if not is_held_back and not spec.drained and admission.is_batched(spec, reader) and spec.batch:
        flow.batch = _batched(spec, spec.batch, incoming, run.run_id, reader)
        run.idempotency = ""
        return
    if not is_held_back:
        flow.rate = admission.rate_of(spec, reader, policy)
        if spec.debounce:
            flow.debounce = _debounced(spec, spec.debounce, incoming, reader)
            run.idempotency = ""
            return
    run.priority_ms = admission.plan_queueing(flow, spec, reader, policy)


def _batched(spec: FunctionSpec, rule: Batch, incoming: Incoming, batch: str, reader: KeyReader) -> Batched:
    entry, context = incoming.entry, incoming.entry.context
    return Batched(
        bucket=admission.bucket_of(spec, "batch", rule.key, reader),
        size=rule.max_size,
        timeout=rule.timeout_ms,
        batch=batch,
        event=entry.internal_id,
        name=entry.name,
        context=encode_context(EventContext(function_id=spec.id, source="batch")),
        correlation=context.correlation_id or "-",
        once=f"{spec.id}:{entry.internal_id}" if context.remember else None,
    )


def _debounced(spec: FunctionSpec, rule: Debounce, incoming: Incoming, reader: KeyReader) -> Debounced:
    entry, correlation_id = incoming.entry, incoming.entry.context.correlation_id
    context = EventContext(function_id=spec.id, source="debounce", correlation_id=correlation_id)
    return Debounced(
        bucket=admission.bucket_of(spec, "debounce", rule.key, reader),
        ts=incoming.header.ts or incoming.received_at,
        period=rule.period_ms,
        timeout=rule.timeout_ms,
        event=entry.internal_id,
        name=entry.name,
        context=encode_context(context),
        correlation=correlation_id,
    )


def schedule_type_of(incoming: Incoming) -> str:
    return _SCHEDULE_TYPES.get(incoming.entry.context.source, "Event")


def _due_at(incoming: Incoming, now: int) -> int:
    if incoming.entry.context.start_at:
        return incoming.entry.context.start_at
    if incoming.is_batch:
        return now
    ts = incoming.header.ts
    return ts if ts > now + _FUTURE_TOLERANCE_MS else now


def _idempotency_key(spec: FunctionSpec, incoming: Incoming) -> str:
    event_id = incoming.header.id or incoming.entry.internal_id
    return idempotency_key(spec.id, incoming.entry.context, event_id)


def idempotency_key(function_id: str, context: EventContext, event_id: str) -> str:
    """The 24 h key of the run; empty where the event, of that external id, cannot come a second time."""
    if not context.remember:
        return ""
    value = context.idempotency or event_id
    return f"{function_id}:{hashlib.sha1(value.encode(), usedforsecurity=False).hexdigest()}"
