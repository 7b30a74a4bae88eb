"""What can be known to be wrong before there is an event: unknown names, calls and operands of wrong types.

Data from events is `dyn` and fits everywhere; only literals and results of functions have known types.
"""

from typing import Final

from apps.engine.expressions.comparison import ORDERED_KINDS
from apps.engine.expressions.errors import EvaluationError, ExpressionError
from apps.engine.expressions.functions import ANY, FUNCTIONS, Function, Kinds
from apps.engine.expressions.regex import compile_pattern
from apps.engine.expressions.syntax import (
    Binary,
    Call,
    Comprehension,
    Conditional,
    Expression,
    Has,
    Index,
    ListDisplay,
    Literal,
    Logical,
    MapDisplay,
    Name,
    Select,
    Unary,
    children,
)
from apps.engine.expressions.values import NUMBER_KINDS, TYPES, kind_of

ROOTS: Final = frozenset({"event", "async", "vars"})
"""The declared variables; `vars` is reserved and always missing (spec 02, 2.1)."""

_DYN = "dyn"
_NULL = "null_type"
_MAP_KEYS: Final = frozenset({_DYN, "string", "int", "uint", "double"})
_DATE_SUMS: Final = {
    ("timestamp", "duration"): "timestamp",
    ("duration", "timestamp"): "timestamp",
}
_DATE_DIFFERENCES: Final = {
    ("timestamp", "timestamp"): "duration",
    ("timestamp", "duration"): "timestamp",
    ("duration", "duration"): "duration",
}
_ADDABLE: Final = frozenset({"string", "bytes", "list", "duration"})


def check(tree: Expression) -> str:
    """The static type of the expression, `dyn` when open; raises ExpressionError for what cannot be right."""
    return _check(tree, ROOTS)


def _check(node: Expression, names: frozenset[str]) -> str:
    match node:
        case Literal(value=value):
            return kind_of(value)
        case Name():
            return _check_name(node, names)
        case Select(operand=operand):
            return _check_selection(node, _check(operand, names))
        case Index(operand=operand, index=index):
            return _check_index(node, _check(operand, names), _check(index, names))
        case Unary(operand=operand):
            return _check_unary(node, _check(operand, names))
        case Binary(left=left, right=right):
            return _check_binary(node, _check(left, names), _check(right, names))
        case Call():
            return _check_call(node, tuple(_check(argument, names) for argument in node.arguments))
        case Comprehension():
            return _check_comprehension(node, names)
    return _check_structure(node, names)


def _check_structure(node: Expression, names: frozenset[str]) -> str:
    """The nodes that only combine: their type follows from those of their parts."""
    kinds = [_check(child, names) for child in children(node)]
    match node:
        case Logical():
            return "bool" if set(kinds) == {"bool"} else _DYN
        case Conditional():
            return kinds[1] if kinds[1] == kinds[2] else _DYN
        case ListDisplay():
            return "list"
        case MapDisplay():
            _check_keys(node, kinds[::2])
            return "map"
        case Has():
            return "bool"
    return _DYN


def _check_name(node: Name, names: frozenset[str]) -> str:
    if node.name in names:
        return _DYN
    if node.name in TYPES:
        return "type"
    raise ExpressionError(f"undeclared reference to '{node.name}'", node.position)


def _check_selection(node: Select, kind: str) -> str:
    if kind not in (_DYN, "map", _NULL):
        raise ExpressionError(f"type '{kind}' does not support field selection", node.position)
    return _DYN


def _check_index(node: Index, kind: str, index_kind: str) -> str:
    fits = kind in (_DYN, _NULL) or (kind == "list" and index_kind in {_DYN, *NUMBER_KINDS})
    if not fits and not (kind == "map" and index_kind in _MAP_KEYS):
        raise _no_match(node, "_[_]", kind, index_kind)
    return _DYN


def _check_keys(node: MapDisplay, kinds: list[str]) -> None:
    for (key, _), kind in zip(node.entries, kinds, strict=True):
        if kind not in _MAP_KEYS:
            raise ExpressionError(f"unsupported map key type '{kind}'", key.position)


def _check_unary(node: Unary, kind: str) -> str:
    allowed = {_DYN, "bool"} if node.sign == "!" else {_DYN, "int", "double", "duration"}
    if kind not in allowed:
        raise _no_match(node, "!_" if node.sign == "!" else "-_", kind)
    return kind


def _check_binary(node: Binary, left: str, right: str) -> str:
    match node.sign:
        case "==" | "!=":
            return "bool"
        case "in":
            return _check_membership(node, left, right)
        case "<" | "<=" | ">" | ">=":
            return _check_ordering(node, left, right)
        case "+":
            return _check_sum(node, left, right)
    return _check_arithmetic(node, left, right)


def _check_membership(node: Binary, left: str, right: str) -> str:
    if right not in (_DYN, "list", "map", _NULL):
        raise _no_match(node, "@in", left, right)
    return "bool"


def _check_ordering(node: Binary, left: str, right: str) -> str:
    orderable = {_DYN, _NULL, *NUMBER_KINDS, *ORDERED_KINDS}
    is_open = bool({left, right} & {_DYN, _NULL})
    are_alike = left == right or (left in NUMBER_KINDS and right in NUMBER_KINDS)
    if left not in orderable or right not in orderable or not (is_open or are_alike):
        raise _no_match(node, f"_{node.sign}_", left, right)
    return "bool"


def _check_sum(node: Binary, left: str, right: str) -> str:
    """Unlike types are joined as text, so only pairs of like types can be wrong."""
    if _DYN in (left, right):
        return _DYN
    if left in NUMBER_KINDS and right in NUMBER_KINDS:
        return left if left == right else "double"
    if left == right and left not in _ADDABLE:
        raise _no_match(node, "_+_", left, right)
    return left if left == right else _DATE_SUMS.get((left, right), "string")


def _check_arithmetic(node: Binary, left: str, right: str) -> str:
    if node.sign == "-" and (left, right) in _DATE_DIFFERENCES:
        return _DATE_DIFFERENCES[left, right]
    with_dates = {"timestamp", "duration"} if node.sign == "-" else set()
    if not {left, right} <= {_DYN, *NUMBER_KINDS, *with_dates}:
        raise _no_match(node, f"_{node.sign}_", left, right)
    if _DYN in (left, right):
        return _DYN
    if {left, right} & {"timestamp", "duration"}:
        raise _no_match(node, f"_{node.sign}_", left, right)
    return left if left == right else "double"


def _check_call(node: Call, kinds: tuple[str, ...]) -> str:
    function = FUNCTIONS.get(node.function)
    if function is None:
        raise ExpressionError(f"undeclared reference to '{node.function}'", node.position)
    parameter_lists = function.member if node.is_member else function.plain
    if not any(_fits(kinds, parameters) for parameters in parameter_lists):
        applied = f"{kinds[0]}.({', '.join(kinds[1:])})" if node.is_member else f"({', '.join(kinds)})"
        raise ExpressionError(
            f"found no matching overload for '{node.function}' applied to '{applied}'", node.position
        )
    _check_pattern(node, function)
    return function.result


def _fits(kinds: tuple[str, ...], parameters: tuple[Kinds, ...]) -> bool:
    return len(kinds) == len(parameters) and all(
        parameter is ANY or kind == _DYN or kind in parameter
        for kind, parameter in zip(kinds, parameters, strict=True)
    )


def _check_pattern(node: Call, function: Function) -> None:
    pattern = node.arguments[-1] if function is FUNCTIONS["matches"] else None
    if not isinstance(pattern, Literal) or not isinstance(pattern.value, str):
        return
    try:
        compile_pattern(pattern.value)
    except EvaluationError as error:
        raise ExpressionError(str(error), pattern.position) from None


def _check_comprehension(node: Comprehension, names: frozenset[str]) -> str:
    kind = _check(node.target, names)
    if kind not in (_DYN, "list", "map", _NULL):
        raise ExpressionError(
            f"expression of type '{kind}' cannot be range of a comprehension (must be list, map, or dynamic)",
            node.target.position,
        )
    inner = names | {node.variable}
    if node.condition is not None:
        _check(node.condition, inner)
    _check(node.body, inner)
    return "list" if node.macro in ("map", "filter") else "bool"


def _no_match(node: Expression, function: str, *kinds: str) -> ExpressionError:
    return ExpressionError(
        f"found no matching overload for '{function}' applied to '({', '.join(kinds)})'", node.position
    )
