"""Debounce (spec 02 4.3)."""

from apps.engine.functions import Debounce
from apps.engine.protocol.durations import DurationError, parse_duration_ms
from apps.registry.validation.fields import Fields
from apps.registry.validation.limits import DAY_MS, SECOND_MS
from apps.registry.validation.problems import Problems

_MIN_PERIOD_MS = SECOND_MS
_MAX_PERIOD_MS = 7 * DAY_MS


def read_debounce(fields: Fields, problems: Problems) -> Debounce | None:
    debounce = fields.child("debounce")
    if debounce is None:
        return None
    return Debounce(
        period_ms=_read_period(debounce.text("period"), problems),
        key=problems.check_expression(debounce.text("key"), "Debounce expression is invalid"),
        timeout_ms=_read_timeout(debounce.text("timeout"), problems),
    )


def _read_period(text: str, problems: Problems) -> int:
    subject = f"The debounce period of '{text}' is"
    try:
        period_ms = parse_duration_ms(text)
    except DurationError as error:
        problems.add(f"{subject} invalid: {error}")
        return 0
    if period_ms < _MIN_PERIOD_MS:
        problems.add(f"{subject} less than the min of: 1s")
    elif period_ms > _MAX_PERIOD_MS:
        problems.add(f"{subject} greater than the max of: 168h0m0s")
    return period_ms


def _read_timeout(text: str, problems: Problems) -> int:
    """The longest total delay in ms; 0 when there is none."""
    if not text:
        return 0
    try:
        return parse_duration_ms(text)
    except DurationError as error:
        problems.add(f"The debounce timeout of '{text}' is invalid: {error}")
        return 0
