"""Display text: what mixed `+`, `string()` and keys make of a value (spec 02, 2.5)."""

import math
from datetime import datetime, timedelta

from apps.engine.expressions.dates import format_timestamp
from apps.engine.expressions.durations import format_duration
from apps.engine.expressions.scope import Meter
from apps.engine.expressions.values import CelType, Int, Uint, Value, to_double

_EXACT_DOUBLE = 2**53
_EXACT_INTEGER = 2**64
_TEXT_PER_VISIT_BITS = 10
_ITEMS_PER_VISIT_BITS = 4


def display_text(value: Value, meter: Meter) -> str:
    """The value as text, never parsed back. Charges the meter for containers and long text."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | dict):
        text = _container_text(value, meter)
        meter.charge(len(text) >> _TEXT_PER_VISIT_BITS)
        return text
    return scalar_text(value)


def scalar_text(value: Value) -> str:
    """The text of anything but a list or a map."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, datetime):
        return format_timestamp(value)
    if isinstance(value, timedelta):
        return format_duration(value)
    return value.name if isinstance(value, CelType) else "<nil>"


def number_text(number: int | float) -> str:
    """Integral doubles up to 2^53 and 64-bit integers as plain digits, others in shortest form."""
    if isinstance(number, Int | Uint) or (isinstance(number, int) and abs(number) < _EXACT_INTEGER):
        return int.__repr__(number)
    return _double_text(to_double(number))


def _double_text(number: float) -> str:
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "+Inf" if number > 0 else "-Inf"
    if number.is_integer() and abs(number) <= _EXACT_DOUBLE:
        return str(int(number))
    return repr(number)


def _container_text(value: list[Value] | dict[Value, Value], meter: Meter) -> str:
    # One list can occur many times in a value that a macro built, so each visit counts.
    meter.charge(1 + (len(value) >> _ITEMS_PER_VISIT_BITS))
    if isinstance(value, list):
        return f"[{' '.join([display_text(item, meter) for item in value])}]"
    entries = sorted((display_text(key, meter), display_text(item, meter)) for key, item in value.items())
    return f"map[{' '.join([f'{key}:{text}' for key, text in entries])}]"
