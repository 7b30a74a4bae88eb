"""`+ - * / %` and unary minus: promotion to double, concatenation, dates (spec 02, 2.5)."""

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from apps.engine.expressions.dates import in_range
from apps.engine.expressions.display import display_text
from apps.engine.expressions.errors import EvaluationError, no_overload
from apps.engine.expressions.scope import Meter
from apps.engine.expressions.values import MISSING, Int, Uint, Value, kind_of, to_double

_TEXT_PER_VISIT_BITS = 10
_ITEMS_PER_VISIT_BITS = 4

SMALLEST_INT: Final = -(2**63)
LARGEST_INT: Final = 2**63 - 1
LARGEST_UINT: Final = 2**64 - 1


def to_int(number: int) -> Int:
    """An `Int`; raises EvaluationError outside 64 bits."""
    if SMALLEST_INT <= number <= LARGEST_INT:
        return Int(number)
    raise EvaluationError("integer overflow")


def to_uint(number: int) -> Uint:
    """A `Uint`; raises EvaluationError outside 64 bits."""
    if 0 <= number <= LARGEST_UINT:
        return Uint(number)
    raise EvaluationError("unsigned integer overflow")


def is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def add(left: Value, right: Value, meter: Meter) -> Value:
    """Addition of like values; a missing side gives the other one; unlike values are joined as text."""
    if left is MISSING:
        return right
    if right is MISSING:
        return left
    if isinstance(left, str) and isinstance(right, str):
        meter.charge((len(left) + len(right)) >> _TEXT_PER_VISIT_BITS)
        return left + right
    if is_number(left) and is_number(right):
        return calculate("+", left, right)
    kind, other_kind = kind_of(left), kind_of(right)
    if kind == other_kind:
        return _join(left, right, meter)
    if {kind, other_kind} == {"timestamp", "duration"}:
        return _shift(left, right)
    return add(display_text(left, meter), display_text(right, meter), meter)


def _join(left: Value, right: Value, meter: Meter) -> Value:
    if isinstance(left, list) and isinstance(right, list):
        meter.charge((len(left) + len(right)) >> _ITEMS_PER_VISIT_BITS)
        return left + right
    if isinstance(left, bytes) and isinstance(right, bytes):
        meter.charge((len(left) + len(right)) >> _TEXT_PER_VISIT_BITS)
        return left + right
    if isinstance(left, timedelta) and isinstance(right, timedelta):
        return _duration(lambda: left + right)
    raise no_overload("_+_", kind_of(left), kind_of(right))


def _shift(left: Value, right: Value) -> datetime:
    moment, duration = (left, right) if isinstance(left, datetime) else (right, left)
    if isinstance(moment, datetime) and isinstance(duration, timedelta):
        return in_range(lambda: moment + duration)
    raise no_overload("_+_", kind_of(left), kind_of(right))


def _duration(compute: Callable[[], timedelta]) -> timedelta:
    try:
        return compute()
    except OverflowError:
        raise EvaluationError("the duration is out of range") from None


def subtract(left: Value, right: Value) -> Value:
    """`left - right` for numbers, timestamps and durations; missing when a side is."""
    if isinstance(right, timedelta):
        if isinstance(left, datetime):
            return in_range(lambda: left - right)
        if isinstance(left, timedelta):
            return _duration(lambda: left - right)
    if isinstance(left, datetime) and isinstance(right, datetime):
        return left - right
    return calculate("-", left, right)


def negate(value: Value) -> Value:
    """Unary minus."""
    if value is MISSING:
        return MISSING
    if isinstance(value, timedelta):
        return _duration(lambda: -value)
    if isinstance(value, Int):
        return to_int(-value)
    if isinstance(value, int | float) and not isinstance(value, bool | Uint):
        return -to_double(value)
    raise no_overload("-_", kind_of(value))


def calculate(sign: str, left: Value, right: Value) -> Value:
    """Numeric `left <sign> right`: exact between two ints or two uints, else in doubles."""
    if left is MISSING or right is MISSING:
        return MISSING
    if isinstance(left, Int) and isinstance(right, Int):
        return to_int(_INTEGERS[sign](left, right))
    if isinstance(left, Uint) and isinstance(right, Uint):
        return to_uint(_INTEGERS[sign](left, right))
    if isinstance(left, bool) or isinstance(right, bool):
        raise no_overload(f"_{sign}_", kind_of(left), kind_of(right))
    if isinstance(left, int | float) and isinstance(right, int | float):
        return _DOUBLES[sign](to_double(left), to_double(right))
    raise no_overload(f"_{sign}_", kind_of(left), kind_of(right))


def _divide_integers(left: int, right: int) -> int:
    if right == 0:
        raise EvaluationError("division by zero")
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def _integer_remainder(left: int, right: int) -> int:
    if right == 0:
        raise EvaluationError("modulus by zero")
    remainder = abs(left) % abs(right)
    return -remainder if left < 0 else remainder


def _divide_doubles(left: float, right: float) -> float:
    if right != 0:
        return left / right
    if left == 0 or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def _double_remainder(left: float, right: float) -> float:
    if right == 0 or math.isinf(left):
        raise EvaluationError("modulus by zero")
    return math.fmod(left, right)


_INTEGERS: Final[dict[str, Callable[[int, int], int]]] = {
    "+": lambda left, right: int(left) + int(right),
    "-": lambda left, right: int(left) - int(right),
    "*": lambda left, right: int(left) * int(right),
    "/": _divide_integers,
    "%": _integer_remainder,
}

_DOUBLES: Final[dict[str, Callable[[float, float], float]]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": _divide_doubles,
    "%": _double_remainder,
}
