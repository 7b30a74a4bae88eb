"""The restricted policy of `cancelOn.if`: comparisons and logic over paths and literals (spec 02, 2.6)."""

from typing import Final

from apps.engine.expressions.syntax import Binary, Call, Comprehension, Expression, Has, Unary, walk

_ALLOWED_FUNCTIONS: Final = frozenset({"int", "uint", "double"})
_ARITHMETIC: Final = frozenset("+-*/%")


def policy_violation(tree: Expression) -> str | None:
    """What the expression uses that cancellations may not, macros before functions; None if nothing."""
    nodes = [node for node, _ in walk(tree)]
    for node in nodes:
        if macro := _macro(node):
            return f"macros are disallowed (contains '{macro}')"
    for node in nodes:
        if function := _disallowed_function(node):
            return f"function calls are disallowed (uses '{function}')"
    return None


def _macro(node: Expression) -> str | None:
    match node:
        case Comprehension(macro=macro):
            return macro
        case Has():
            return "has"
    return None


def _disallowed_function(node: Expression) -> str | None:
    match node:
        case Call(function=name) if name not in _ALLOWED_FUNCTIONS:
            return name
        case Binary(sign=sign) if sign in _ARITHMETIC:
            return f"_{sign}_"
        case Unary(sign="-"):
            return "-_"
    return None
