"""From (function, event) to the one Lua call that schedules a run (spec 02, 1.4 to 1.7)."""

import hashlib

import msgspec

from apps.engine import expressions
from apps.engine.cancel_rules import cancel_pauses
from apps.engine.functions import FunctionSpec
from apps.engine.protocol import ids
from apps.engine.records import RunScheduled, encode_records
from apps.engine.runner.incoming import Incoming
from apps.engine.store.client import Argument
from apps.engine.store.views import RunMeta

# Events dated less than this ahead start at once (spec 01, 5.6).
_FUTURE_TOLERANCE_MS = 2_000

_encode = msgspec.json.Encoder().encode


class PlannedRun(msgspec.Struct):
    """A run that the runner wants; `command` are the arguments of the Lua function `schedule`."""

    run_id: str
    spec: FunctionSpec
    incoming: Incoming
    command: list[Argument]


def plan_run(spec: FunctionSpec, incoming: Incoming, now: int, failed: list[tuple[str, str]]) -> PlannedRun:
    """The schedule call for a match; key expressions that fail are added to `failed`."""
    entry, context = incoming.entry, incoming.entry.context
    queued_at = min(now, incoming.received_at)
    run_id = ids.new_ulid(queued_at)
    due = _due_at(incoming, now)
    schedule_type = schedule_type_of(incoming)
    meta = RunMeta(
        slug=spec.slug,
        event_names=[entry.name],
        event_ids=[entry.internal_id],
        correlation_ids=[context.correlation_id] if context.correlation_id else [],
        schedule_type=schedule_type,
    )
    record = RunScheduled(
        run_id=run_id,
        account_id=spec.account_id,
        env_id=spec.env_id,
        app_id=spec.app_id,
        function_id=spec.id,
        function_version=spec.version,
        queued_at=queued_at,
        scheduled_at=max(due, queued_at),
        event_ids=[entry.internal_id],
        event_name=entry.name,
        schedule_type=schedule_type,
        cron=context.cron,
    )
    rate = _rate_limit(spec, incoming, failed)
    start_deadline = max(due, queued_at) + spec.start_timeout_ms if spec.start_timeout_ms else 0
    command: list[Argument] = [now, run_id, spec.id, spec.env_id, spec.account_id, spec.app_id]
    command += [
        incoming.stream_id,
        _idempotency_key(spec, incoming),
        b"[" + entry.body + b"]",
        due,
        queued_at,
    ]
    command += [_encode(meta), start_deadline, encode_records([record]), "", "", *rate]
    command += cancel_pauses(spec, run_id, incoming.event, incoming.stream_id, now) if spec.cancel else [0]
    command.append(0)
    return PlannedRun(run_id, spec, incoming, command)


def _rate_limit(
    spec: FunctionSpec, incoming: Incoming, failed: list[tuple[str, str]]
) -> tuple[str, int, int]:
    """(bucket, limit, period ms) of the function's rate limit, or no bucket where none applies (02, 2.8)."""
    rule = spec.rate_limit
    if rule is None:
        return "", 0, 0
    if not rule.key:
        return spec.id, rule.limit, rule.period_ms
    try:
        value = expressions.bucket(expressions.compile_expression(rule.key), incoming.event)
    except expressions.ExpressionError as exc:
        failed.append((spec.id, str(exc)))
        return "", 0, 0
    if value.kind == "error":
        failed.append((spec.id, f"{rule.key}: cannot be evaluated"))
    if value.kind in ("error", "missing") or value.text == "false":
        return "", 0, 0
    digest = hashlib.sha1(value.text.encode(), usedforsecurity=False).hexdigest()
    return f"{spec.id}:{digest}", rule.limit, rule.period_ms


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
