"""The functions of the language: their signatures for the checker and what they do (spec 02, 2.2)."""

import base64
import binascii
import operator
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Final, NamedTuple, TypeAlias

import msgspec

from apps.engine import clock
from apps.engine.expressions import conversions, dates, getters
from apps.engine.expressions.durations import parse_duration
from apps.engine.expressions.errors import no_overload
from apps.engine.expressions.regex import is_match
from apps.engine.expressions.scope import Meter
from apps.engine.expressions.values import MISSING, NUMBER_KINDS, Int, Value, kind_of, type_of

_TEXT_PER_VISIT_BITS = 10
_SEARCHED_PER_VISIT_BITS = 14

Kinds: TypeAlias = frozenset[str]
Implementation: TypeAlias = Callable[..., Value]
"""Takes the meter and the argument values (the target of a member call first)."""

ANY: Final[Kinds] = frozenset()
"""A parameter of this takes every kind."""

_TEXT: Final = frozenset({"string"})
_SIZED: Final = frozenset({"string", "bytes", "list", "map"})
_MOMENT: Final = frozenset({"timestamp"})
_SPAN: Final = frozenset({"string", "duration"})


class Function(NamedTuple):
    """`plain` and `member` are the accepted parameter lists of `f(x)` and of `x.f()`.

    A call with a missing argument gives missing unless `takes_missing`. A volatile function gives
    another result at another time.
    """

    result: str
    call: Implementation
    plain: tuple[tuple[Kinds, ...], ...] = ()
    member: tuple[tuple[Kinds, ...], ...] = ()
    takes_missing: bool = False
    is_volatile: bool = False


def _size(meter: Meter, value: Value) -> Value:
    if value is MISSING:
        return Int(0)
    if isinstance(value, str | bytes | list | dict):
        return Int(len(value))
    raise no_overload("size", kind_of(value))


def _contains(meter: Meter, text: Value, part: Value) -> Value:
    if isinstance(text, str) and isinstance(part, str):
        meter.charge(len(text) >> _SEARCHED_PER_VISIT_BITS)
        return part in text
    raise no_overload("contains", kind_of(text), kind_of(part))


def _starts_with(meter: Meter, text: Value, part: Value) -> Value:
    if isinstance(text, str) and isinstance(part, str):
        return text.startswith(part)
    raise no_overload("startsWith", kind_of(text), kind_of(part))


def _ends_with(meter: Meter, text: Value, part: Value) -> Value:
    if isinstance(text, str) and isinstance(part, str):
        return text.endswith(part)
    raise no_overload("endsWith", kind_of(text), kind_of(part))


def _matches(meter: Meter, text: Value, pattern: Value) -> Value:
    if isinstance(text, str) and isinstance(pattern, str):
        return is_match(text, pattern, meter)
    raise no_overload("matches", kind_of(text), kind_of(pattern))


def _change_case(name: str, change: Callable[[str], str], meter: Meter, text: Value) -> Value:
    if isinstance(text, str):
        meter.charge(len(text) >> _TEXT_PER_VISIT_BITS)
        return change(text)
    raise no_overload(name, kind_of(text))


def _b64decode(meter: Meter, text: Value) -> Value:
    if not isinstance(text, str):
        return MISSING
    meter.charge(len(text) >> _TEXT_PER_VISIT_BITS)
    try:
        return base64.b64decode(text.replace("\r", "").replace("\n", ""), validate=True).decode()
    except (binascii.Error, ValueError):
        return MISSING


def _json_parse(meter: Meter, text: Value) -> Value:
    if not isinstance(text, str):
        return {}
    meter.charge(len(text) >> _TEXT_PER_VISIT_BITS)
    try:
        parsed: object = msgspec.json.decode(text.encode("utf-8", "replace"))
    except (msgspec.DecodeError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _now(meter: Meter) -> Value:
    return dates.timestamp_of_milliseconds(clock.now_ms())


def _now_shifted(name: str, shift: Callable[..., Value], meter: Meter, span: Value) -> Value:
    duration = parse_duration(span) if isinstance(span, str) else span
    if not isinstance(duration, timedelta):
        raise no_overload(name, kind_of(span))
    moment = dates.timestamp_of_milliseconds(clock.now_ms())
    return dates.in_range(lambda: moment + duration if shift is operator.add else moment - duration)


def _type(meter: Meter, value: Value) -> Value:
    return type_of(value)


def _dyn(meter: Meter, value: Value) -> Value:
    return value


def _getter(name: str) -> Function:
    spans: Kinds = _MOMENT | {"duration"} if name in getters.OF_DURATIONS else _MOMENT
    return Function("int", partial(getters.read_part, name), member=((spans,), (_MOMENT, _TEXT)))


FUNCTIONS: Final[dict[str, Function]] = {
    "size": Function("int", _size, plain=((_SIZED,),), member=((_SIZED,),), takes_missing=True),
    "contains": Function("bool", _contains, member=((_TEXT, _TEXT),)),
    "startsWith": Function("bool", _starts_with, member=((_TEXT, _TEXT),)),
    "endsWith": Function("bool", _ends_with, member=((_TEXT, _TEXT),)),
    "matches": Function("bool", _matches, plain=((_TEXT, _TEXT),), member=((_TEXT, _TEXT),)),
    "int": Function("int", conversions.convert_to_int, plain=((NUMBER_KINDS | _TEXT | _MOMENT,),)),
    "uint": Function("uint", conversions.convert_to_uint, plain=((NUMBER_KINDS | _TEXT,),)),
    "double": Function("double", conversions.convert_to_double, plain=((NUMBER_KINDS | _TEXT,),)),
    "string": Function(
        "string",
        conversions.convert_to_string,
        plain=((NUMBER_KINDS | _TEXT | _MOMENT | {"duration", "bytes", "bool"},),),
    ),
    "bytes": Function("bytes", conversions.convert_to_bytes, plain=((_TEXT | {"bytes"},),)),
    "bool": Function("bool", conversions.convert_to_bool, plain=((_TEXT | {"bool"},),)),
    "type": Function("type", _type, plain=((ANY,),)),
    "dyn": Function("dyn", _dyn, plain=((ANY,),), takes_missing=True),
    "timestamp": Function(
        "timestamp", conversions.convert_to_timestamp, plain=((NUMBER_KINDS | _TEXT | _MOMENT,),)
    ),
    "duration": Function("duration", conversions.convert_to_duration, plain=((_SPAN,),)),
    "lowercase": Function("string", partial(_change_case, "lowercase", str.lower), plain=((_TEXT,),)),
    "uppercase": Function("string", partial(_change_case, "uppercase", str.upper), plain=((_TEXT,),)),
    "b64decode": Function("dyn", _b64decode, plain=((_TEXT,),)),
    "json_parse": Function("map", _json_parse, plain=((_TEXT,),)),
    "date": Function("dyn", conversions.convert_to_date, plain=((ANY,),)),
    "now": Function("timestamp", _now, plain=((),), is_volatile=True),
    "now_plus": Function(
        "timestamp", partial(_now_shifted, "now_plus", operator.add), plain=((_SPAN,),), is_volatile=True
    ),
    "now_minus": Function(
        "timestamp", partial(_now_shifted, "now_minus", operator.sub), plain=((_SPAN,),), is_volatile=True
    ),
    **{name: _getter(name) for name in getters.NAMES},
}
