"""From (function, event) to the one Lua call that schedules a run (spec 02, 1.4 to 1.7)."""

import hashlib

from apps.engine import expressions
from apps.engine.cancel_rules import cancel_pauses
from apps.engine.functions import FunctionSpec
from apps.engine.new_run import NO_RATE_CHECK, NewRun, RateCheck
from apps.engine.protocol import ids
from apps.engine.runner.incoming import Incoming
from apps.engine.store.views import RunMeta

# Events dated less than this ahead start at once (spec 01, 5.6).
_FUTURE_TOLERANCE_MS = 2_000


def plan_run(spec: FunctionSpec, incoming: Incoming, now: int, failed: list[tuple[str, str]]) -> NewRun:
    """The run for a match; key expressions that fail are added to `failed`."""
    entry, context = incoming.entry, incoming.entry.context
    queued_at = min(now, incoming.received_at)
    # An entry that is handled again, because the queue forgot that it was, leads to the same run in history.
    run_id = ids.entry_ulid(incoming.stream_id, spec.id)
    meta = RunMeta(
        slug=spec.slug,
        event_names=[entry.name],
        event_ids=[entry.internal_id],
        correlation_ids=[context.correlation_id] if context.correlation_id else [],
        schedule_type=schedule_type_of(incoming),
    )
    run = NewRun(run_id, spec, meta, b"[" + entry.body + b"]", queued_at, _due_at(incoming, now))
    run.entry, run.idempotency = incoming.stream_id, _idempotency_key(spec, incoming)
    run.cron = context.cron
    run.rate = _rate_limit(spec, incoming, failed)
    if spec.cancel:
        run.cancels = cancel_pauses(spec, run_id, incoming.event, incoming.stream_id, now)
    return run


def _rate_limit(spec: FunctionSpec, incoming: Incoming, failed: list[tuple[str, str]]) -> RateCheck:
    """The place that the function's rate limit asks for (02, 2.8 and 4.2)."""
    rule = spec.rate_limit
    if rule is None:
        return NO_RATE_CHECK
    if not rule.key:
        return RateCheck(spec.id, rule.limit, rule.period_ms)
    try:
        value = expressions.bucket(expressions.compile_expression(rule.key), incoming.event)
    except expressions.ExpressionError as exc:
        failed.append((spec.id, str(exc)))
        return NO_RATE_CHECK
    if value.kind == "error":
        failed.append((spec.id, f"{rule.key}: cannot be evaluated"))
    if value.kind in ("error", "missing") or value.text == "false":
        return NO_RATE_CHECK
    digest = hashlib.sha1(value.text.encode(), usedforsecurity=False).hexdigest()
    return RateCheck(f"{spec.id}:{digest}", rule.limit, rule.period_ms)


def schedule_type_of(incoming: Incoming) -> str:
    return {"cron": "Cron", "invoke": "Invoke"}.get(incoming.entry.context.source, "Event")


def _due_at(incoming: Incoming, now: int) -> int:
    if incoming.entry.context.start_at:
        return incoming.entry.context.start_at
    ts = incoming.header.ts
    return ts if ts > now + _FUTURE_TOLERANCE_MS else now


def _idempotency_key(spec: FunctionSpec, incoming: Incoming) -> str:
    """The 24 h key of the run; empty where the event cannot come a second time."""
    context = incoming.entry.context
    if not context.remember:
        return ""
    value = context.idempotency or incoming.header.id or incoming.entry.internal_id
    return f"{spec.id}:{hashlib.sha1(value.encode(), usedforsecurity=False).hexdigest()}"
