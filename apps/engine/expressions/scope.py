"""The state of one evaluation: the two events, the macro variables and the remaining step budget."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from apps.engine.expressions.errors import BudgetExceeded
from apps.engine.expressions.values import MISSING, Value

NODE_BUDGET = 10_000
"""Node visits that one evaluation may take (spec 02, 2.2)."""


class Meter:
    """Counts work against the budget.

    A node can be visited more than once only inside a macro, so macros charge for every element, and
    operations whose cost grows with their data charge for its size; everything else is paid up front.
    """

    __slots__ = ("remaining",)

    def __init__(self, budget: int = NODE_BUDGET) -> None:
        self.remaining = budget

    def charge(self, visits: int) -> None:
        """Take `visits` from the budget; raises BudgetExceeded below zero."""
        self.remaining -= visits
        if self.remaining < 0:
            raise BudgetExceeded


class Scope(Meter):
    """One evaluation. `other` is the `async` event or MISSING, `slots` hold the macros' variables."""

    __slots__ = ("event", "other", "slots")

    def __init__(
        self, event: Mapping[str, object], other: Mapping[str, object] | None, slots: int, budget: int
    ) -> None:
        self.remaining = budget
        self.event: dict[str, object] = event if type(event) is dict else dict(event)
        self.other: Value = MISSING if other is None else (other if type(other) is dict else dict(other))
        self.slots: list[Value] = [MISSING] * slots if slots else _NO_SLOTS


_NO_SLOTS: list[Value] = []

Evaluator: TypeAlias = Callable[[Scope], Value]
"""A compiled node: gives its value in a scope; raises EvaluationError."""
