"""The values of the language and what they are called.

JSON data is used as it was decoded: a plain `int` or `float` is the language's *double* (spec 02, 2.5),
while integer literals and `int()` give `Int` and `uint()` gives `Uint`. Comparisons between numbers are
exact, so 64-bit ids that arrive as JSON integers stay distinct.
"""

from datetime import datetime, timedelta
from typing import Final, TypeAlias, final

Value: TypeAlias = object
"""None, bool, int, float, Int, Uint, str, bytes, list, dict, datetime, timedelta, CelType or MISSING."""


@final
class Missing:
    """The type of MISSING: no such key, an index out of range, a selection on what is not a map."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing()


class Int(int):
    """A signed 64-bit integer of the language, as opposed to a number out of JSON."""

    __slots__ = ()


class Uint(int):
    """An unsigned 64-bit integer of the language."""

    __slots__ = ()


@final
class CelType:
    """A type as a value, as `type(x)` and the name `double` give it; one instance per name."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


_KINDS: dict[type, str] = {
    Missing: "missing",
    type(None): "null_type",
    bool: "bool",
    int: "double",
    float: "double",
    Int: "int",
    Uint: "uint",
    str: "string",
    bytes: "bytes",
    list: "list",
    dict: "map",
    datetime: "timestamp",
    timedelta: "duration",
    CelType: "type",
}

NUMBER_KINDS: Final = frozenset({"int", "uint", "double"})

TYPES: Final[dict[str, CelType]] = {
    name: CelType(name)
    for name in ("bool", "int", "uint", "double", "string", "bytes", "list", "map", "null_type", "type")
}
"""The types that have a name in expressions."""

_TYPES_BY_KIND: Final = {
    **TYPES,
    "timestamp": CelType("google.protobuf.Timestamp"),
    "duration": CelType("google.protobuf.Duration"),
}


def kind_of(value: Value) -> str:
    """The name of the value's type in messages and signatures: `string`, `double`, `map`, `missing`, ..."""
    return _KINDS.get(type(value)) or _kind_of_subclass(value)


def _kind_of_subclass(value: Value) -> str:
    for known, kind in _KINDS.items():
        if isinstance(value, known):
            return kind
    return type(value).__name__


def type_of(value: Value) -> CelType | Missing:
    """What `type(value)` gives; MISSING for a missing value."""
    return _TYPES_BY_KIND.get(kind_of(value), MISSING)


def is_truthy(value: Value) -> bool:
    """Truth in `||`, `&&`, `?:` and macros: all but missing, null, false, "" and zero (spec 02, 2.4)."""
    if value is True:
        return True
    if value is False or value is None or value is MISSING:
        return False
    return not isinstance(value, str | int | float) or bool(value)


def to_double(number: int | float) -> float:
    """The number as a double; an integer beyond its range becomes an infinity."""
    try:
        return float(number)
    except OverflowError:
        return float("inf") if number > 0 else float("-inf")
