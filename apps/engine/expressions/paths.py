"""Compiled access to paths and their comparison with literals, the parts that nearly every expression has."""

from collections.abc import Callable
from typing import Final

from apps.engine.expressions.comparison import ORDERINGS, in_order
from apps.engine.expressions.scope import Evaluator, Scope
from apps.engine.expressions.values import MISSING, Value

# An event that came without `user` has an empty map there (spec 02, 2.9).
_DEFAULTS: Final[dict[str, Callable[[], Value]]] = {"user": dict}


def follow(value: Value, keys: tuple[str, ...]) -> Value:
    """The value under `keys` in nested maps, MISSING where there is none."""
    for key in keys:
        if not isinstance(value, dict):
            return MISSING
        value = value.get(key, MISSING)
    return value


def follow_event(event: Value, keys: tuple[str, ...]) -> Value:
    """Like `follow`, from an event: its `user` is an empty map when it has none."""
    if keys and keys[0] in _DEFAULTS and isinstance(event, dict) and keys[0] not in event:
        return follow(_DEFAULTS[keys[0]](), keys[1:])
    return follow(event, keys)


def path_reader(root: str, keys: tuple[str, ...]) -> Evaluator:
    """Reads `event.<keys>` or `async.<keys>`."""
    if root == "async":
        return lambda scope: follow_event(scope.other, keys)
    if keys and keys[0] in _DEFAULTS:
        return lambda scope: follow_event(scope.event, keys)
    if len(keys) == 2:
        return _two_key_reader(*keys)
    return lambda scope: follow(scope.event, keys)


def _two_key_reader(first: str, second: str) -> Evaluator:
    """`event.data.x`, by far the most frequent path."""

    def read(scope: Scope) -> Value:
        value = scope.event.get(first)
        return value.get(second, MISSING) if isinstance(value, dict) else MISSING

    return read


def equality_with(operand: Evaluator, constant: Value, *, negated: bool) -> Evaluator | None:
    """`operand == constant` for a text, number, boolean or null; None for other constants."""
    test = _equality_test(operand, constant)
    if test is None or not negated:
        return test
    return lambda scope: not test(scope)


def _equality_test(operand: Evaluator, constant: Value) -> Evaluator | None:
    if constant is None:
        return lambda scope: (value := operand(scope)) is None or value is MISSING
    if isinstance(constant, bool):
        return lambda scope: operand(scope) is constant
    if isinstance(constant, str):
        return lambda scope: operand(scope) == constant
    if isinstance(constant, int | float):
        return lambda scope: (value := operand(scope)) == constant and not isinstance(value, bool)
    return None


def ordering_with(operand: Evaluator, sign: str, constant: Value) -> Evaluator | None:
    """`operand <sign> constant` for a number; None for other constants."""
    if isinstance(constant, bool) or not isinstance(constant, int | float):
        return None
    ordered = ORDERINGS[sign]

    def compare(scope: Scope) -> Value:
        value = operand(scope)
        if type(value) is float or type(value) is int:
            return ordered(value, constant)
        return in_order(sign, value, constant)

    return compare
