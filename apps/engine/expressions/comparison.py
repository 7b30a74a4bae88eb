"""Equality, ordering and membership with missing and null (spec 02, 2.3 and 2.5)."""

import operator
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from apps.engine.expressions.errors import no_overload
from apps.engine.expressions.scope import Meter
from apps.engine.expressions.values import MISSING, NUMBER_KINDS, Value, kind_of

_ITEMS_PER_VISIT_BITS = 6

ORDERINGS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

ORDERED_KINDS: Final = frozenset({"bool", "string", "bytes", "timestamp", "duration"})
"""The kinds, besides numbers, that have an order among themselves."""

_ZERO_VALUES: Final[dict[str, Value]] = {
    "int": 0,
    "uint": 0,
    "double": 0.0,
    "string": "",
    "bytes": b"",
    "bool": False,
    "timestamp": datetime.min.replace(tzinfo=UTC),
    "duration": timedelta(0),
}


def is_equal(left: Value, right: Value, meter: Meter) -> bool:
    """Equality: numbers across kinds, containers by content, other kinds never equal each other.

    Missing equals null and nothing else, not even missing.
    """
    if left is MISSING:
        return right is None
    if right is MISSING:
        return left is None
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return _lists_equal(left, right, meter)
    if isinstance(left, dict) and isinstance(right, dict):
        return _maps_equal(left, right, meter)
    return bool(left == right)


def _lists_equal(left: list[Value], right: list[Value], meter: Meter) -> bool:
    meter.charge(1 + (len(left) >> _ITEMS_PER_VISIT_BITS))
    return len(left) == len(right) and all(
        is_equal(one, other, meter) for one, other in zip(left, right, strict=True)
    )


def _maps_equal(left: dict[Value, Value], right: dict[Value, Value], meter: Meter) -> bool:
    meter.charge(1 + (len(left) >> _ITEMS_PER_VISIT_BITS))
    return len(left) == len(right) and all(
        key in right and is_equal(item, right[key], meter) for key, item in left.items()
    )


def in_order(sign: str, left: Value, right: Value) -> bool:
    """`left <sign> right`; raises EvaluationError for kinds that have no common order.

    Missing comes before every present value; null stands for the zero value of the other side's kind.
    """
    if left is None or right is None or left is MISSING or right is MISSING:
        return _order_of_nothing(sign, left, right)
    kind, other_kind = kind_of(left), kind_of(right)
    both_numbers = kind in NUMBER_KINDS and other_kind in NUMBER_KINDS
    if both_numbers or (kind == other_kind and kind in ORDERED_KINDS):
        return ORDERINGS[sign](left, right)
    raise no_overload(f"_{sign}_", kind, other_kind)


def _order_of_nothing(sign: str, left: Value, right: Value) -> bool:
    if left is MISSING and right is MISSING:
        return False
    if (left is None or left is MISSING) and (right is None or right is MISSING):
        return sign in ("<=", ">=")
    if left is MISSING:
        return sign in ("<", "<=")
    if right is MISSING:
        return sign in (">", ">=")
    return ORDERINGS[sign](*_with_zero_for_null(sign, left, right))


def _with_zero_for_null(sign: str, left: Value, right: Value) -> tuple[Value, Value]:
    kind, other_kind = kind_of(left), kind_of(right)
    present_kind = other_kind if left is None else kind
    if present_kind not in _ZERO_VALUES:
        raise no_overload(f"_{sign}_", kind, other_kind)
    zero = _ZERO_VALUES[present_kind]
    return (zero, right) if left is None else (left, zero)


def contains(container: Value, item: Value, meter: Meter) -> bool:
    """`item in container`: an element of a list or a key of a map; false in a missing or null container."""
    if isinstance(container, list):
        meter.charge(len(container) >> _ITEMS_PER_VISIT_BITS)
        return _has_element(container, item, meter)
    if isinstance(container, dict):
        return is_map_key(item) and item in container
    if container is None or container is MISSING:
        return False
    raise no_overload("@in", kind_of(item), kind_of(container))


def _has_element(items: list[Value], item: Value, meter: Meter) -> bool:
    if isinstance(item, str | int | float) and item not in items:
        # Python's equality is ours here, but for booleans, which it takes for numbers.
        return False
    return any(is_equal(item, element, meter) for element in items)


def is_map_key(value: Value) -> bool:
    """Whether maps can have this key; booleans, which Python would confuse with 0 and 1, are none."""
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def item_at(container: Value, index: Value) -> Value:
    """`container[index]`: MISSING where a list or map has no such item, and on what is neither."""
    if isinstance(container, dict):
        return container.get(index, MISSING) if is_map_key(index) else MISSING
    if isinstance(container, list) and isinstance(index, int | float):
        return _element_at(container, index)
    return MISSING


def _element_at(items: list[Value], index: int | float) -> Value:
    if isinstance(index, bool) or index != index or not 0 <= index < len(items) or index % 1:
        return MISSING
    return items[int(index)]
