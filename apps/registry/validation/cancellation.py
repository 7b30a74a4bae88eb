"""cancelOn rules and run timeouts (spec 02 7.6 and 7.8)."""

from apps.engine.functions import CancelRule
from apps.engine.protocol.dates import parse_due_ms
from apps.engine.protocol.durations import DurationError, parse_duration_ms
from apps.registry.validation.fields import Fields
from apps.registry.validation.limits import MAX_CANCELLATIONS, MAX_NAME_BYTES
from apps.registry.validation.problems import Problems


def read_cancellations(fields: Fields, problems: Problems) -> tuple[CancelRule, ...]:
    entries = fields.children("cancel")
    if len(entries) > MAX_CANCELLATIONS:
        problems.add(f"This function exceeds the max number of cancellation events: {MAX_CANCELLATIONS}")
    return tuple(_read_cancellation(entry, problems) for entry in entries)


def _read_cancellation(entry: Fields, problems: Problems) -> CancelRule:
    event, timeout = entry.text("event"), entry.text("timeout")
    if not event:
        problems.add("A cancellation must specify an event name")
    elif len(event.encode()) > MAX_NAME_BYTES:
        problems.add(f"event name is too long. maximum length is {MAX_NAME_BYTES} characters")
    if timeout and not _is_duration_or_date(timeout):
        problems.add(f"cancel timeout is invalid: {timeout}")
    condition = entry.text("if")
    problems.check_expression(condition, "Cancellation expression is invalid", restricted=True)
    return CancelRule(event=event, expression=condition, timeout=timeout)


def _is_duration_or_date(text: str) -> bool:
    try:
        parse_due_ms(text, 0)
    except DurationError:
        return False
    return True


def read_timeout(fields: Fields, name: str, problems: Problems) -> int:
    """`timeouts.start` or `timeouts.finish` in ms; 0 when there is none."""
    timeouts = fields.child("timeouts")
    text = timeouts.text(name) if timeouts else ""
    if not text:
        return 0
    try:
        return parse_duration_ms(text)
    except DurationError:
        problems.add(f"timeouts.{name} is invalid: {text}")
        return 0
