"""`int`, `uint`, `double`, `string`, `bytes`, `bool`, `timestamp`, `duration` and `date`."""

import math
import re
from datetime import datetime, timedelta
from typing import Final

from apps.engine.expressions import dates
from apps.engine.expressions.arithmetic import is_number, to_int, to_uint
from apps.engine.expressions.display import scalar_text
from apps.engine.expressions.durations import parse_duration
from apps.engine.expressions.errors import EvaluationError, no_overload
from apps.engine.expressions.scope import Meter
from apps.engine.expressions.values import MISSING, Value, kind_of, to_double

_INTEGER: Final = re.compile(r"[+-]?\d{1,20}", re.ASCII)
_DOUBLE: Final = re.compile(
    r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf|infinity|nan)", re.ASCII | re.IGNORECASE
)
_BOOLEANS: Final = {
    **dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False),
}
_LONGEST_NUMBER = 400
_TEXT_PER_VISIT_BITS = 10


def _integer(value: Value, function: str) -> int:
    if isinstance(value, str):
        if _INTEGER.fullmatch(value) is None:
            raise EvaluationError(f"{function}: the text is not an integer")
        return int(value)
    if isinstance(value, datetime):
        return dates.seconds_of_timestamp(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        if isinstance(value, float) and not math.isfinite(value):
            raise EvaluationError(f"{function}: the number is out of range")
        return int(value)
    raise no_overload(function, kind_of(value))


def convert_to_int(meter: Meter, value: Value) -> Value:
    """`int(x)`: doubles are cut toward zero, timestamps give seconds."""
    return to_int(_integer(value, "int"))


def convert_to_uint(meter: Meter, value: Value) -> Value:
    """`uint(x)`."""
    return to_uint(_integer(value, "uint"))


def convert_to_double(meter: Meter, value: Value) -> Value:
    """`double(x)`."""
    if isinstance(value, str):
        if len(value) > _LONGEST_NUMBER or _DOUBLE.fullmatch(value) is None:
            raise EvaluationError("double: the text is not a number")
        return float(value)
    if isinstance(value, int | float) and is_number(value):
        return to_double(value)
    raise no_overload("double", kind_of(value))


def convert_to_string(meter: Meter, value: Value) -> Value:
    """`string(x)` of a scalar; bytes must be UTF-8."""
    if isinstance(value, bytes):
        meter.charge(len(value) >> _TEXT_PER_VISIT_BITS)
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise EvaluationError("string: the bytes are not UTF-8") from None
    if value is None or isinstance(value, list | dict):
        raise no_overload("string", kind_of(value))
    return scalar_text(value)


def convert_to_bytes(meter: Meter, value: Value) -> Value:
    """`bytes(x)` of a string."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        meter.charge(len(value) >> _TEXT_PER_VISIT_BITS)
        return value.encode("utf-8", "replace")
    raise no_overload("bytes", kind_of(value))


def convert_to_bool(meter: Meter, value: Value) -> Value:
    """`bool(x)` of a boolean or its text."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        if value not in _BOOLEANS:
            raise EvaluationError("bool: the text is not a boolean")
        return _BOOLEANS[value]
    raise no_overload("bool", kind_of(value))


def convert_to_timestamp(meter: Meter, value: Value) -> Value:
    """`timestamp(x)` of an RFC 3339 text or of seconds since the epoch."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, str):
        return dates.parse_rfc3339(value)
    if isinstance(value, int | float) and is_number(value):
        return dates.timestamp_of_seconds(to_double(value))
    raise no_overload("timestamp", kind_of(value))


def convert_to_duration(meter: Meter, value: Value) -> Value:
    """`duration(x)` of a text such as `5m`."""
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str):
        return parse_duration(value)
    raise no_overload("duration", kind_of(value))


def convert_to_date(meter: Meter, value: Value) -> Value:
    """`date(x)`: a timestamp of a text or a number; missing for other kinds; fails on what is no date."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, str):
        return dates.parse_date(value)
    if isinstance(value, int | float) and is_number(value):
        return dates.date_of_number(to_double(value))
    return MISSING
