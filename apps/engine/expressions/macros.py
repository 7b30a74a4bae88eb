"""Compiled macros: `all`, `exists`, `exists_one`, `map` and `filter` over lists and the keys of maps."""

from collections.abc import Iterable
from typing import NamedTuple

from apps.engine.expressions.errors import BudgetExceeded, EvaluationError, no_overload
from apps.engine.expressions.scope import Evaluator, Scope
from apps.engine.expressions.values import MISSING, Value, is_truthy, kind_of


class Loop(NamedTuple):
    """A compiled comprehension: its variable lives in `slots[slot]`, each round costs `cost` visits."""

    macro: str
    target: Evaluator
    slot: int
    body: Evaluator
    condition: Evaluator | None
    cost: int

    def items(self, scope: Scope) -> Iterable[Value] | None:
        """What to iterate over; None when the target is missing or null."""
        target = self.target(scope)
        if target is None or target is MISSING:
            return None
        if isinstance(target, list | dict):
            return target
        raise no_overload(self.macro, kind_of(target))

    def enter(self, scope: Scope, item: Value) -> None:
        """Begin a round with this item."""
        scope.charge(self.cost)
        scope.slots[self.slot] = item


def holds(predicate: Evaluator, scope: Scope) -> bool:
    """Truth of an operand; one that fails is false, as in `||` (spec 02, 2.4)."""
    try:
        return is_truthy(predicate(scope))
    except BudgetExceeded:
        raise
    except EvaluationError:
        return False


def loop_evaluator(loop: Loop) -> Evaluator:
    """The evaluator of the comprehension's macro."""
    match loop.macro:
        case "all":
            return _all(loop)
        case "exists":
            return _exists(loop)
        case "exists_one":
            return _exists_one(loop)
        case "filter":
            return _filter(loop)
    return _map(loop)


def _all(loop: Loop) -> Evaluator:
    def evaluate(scope: Scope) -> Value:
        items = loop.items(scope)
        if items is None:
            return False
        for item in items:
            loop.enter(scope, item)
            if not holds(loop.body, scope):
                return False
        return True

    return evaluate


def _exists(loop: Loop) -> Evaluator:
    def evaluate(scope: Scope) -> Value:
        for item in loop.items(scope) or ():
            loop.enter(scope, item)
            if holds(loop.body, scope):
                return True
        return False

    return evaluate


def _exists_one(loop: Loop) -> Evaluator:
    def evaluate(scope: Scope) -> Value:
        found = 0
        for item in loop.items(scope) or ():
            loop.enter(scope, item)
            found += holds(loop.body, scope)
        return found == 1

    return evaluate


def _filter(loop: Loop) -> Evaluator:
    def evaluate(scope: Scope) -> Value:
        items = loop.items(scope)
        if items is None:
            return MISSING
        kept: list[Value] = []
        for item in items:
            loop.enter(scope, item)
            if holds(loop.body, scope):
                kept.append(item)
        return kept

    return evaluate


def _map(loop: Loop) -> Evaluator:
    def evaluate(scope: Scope) -> Value:
        items = loop.items(scope)
        if items is None:
            return MISSING
        results: list[Value] = []
        for item in items:
            loop.enter(scope, item)
            if loop.condition is None or holds(loop.condition, scope):
                results.append(loop.body(scope))
        return results

    return evaluate
