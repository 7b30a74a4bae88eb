"""The syntax tree of an expression. Every node knows its character offset in the source."""

from collections.abc import Iterator
from typing import TypeAlias

import msgspec

from apps.engine.expressions.values import Value


class Node(msgspec.Struct, frozen=True):
    position: int


class Literal(Node, frozen=True):
    value: Value


class Name(Node, frozen=True):
    """A root identifier, a macro variable or the name of a type."""

    name: str


class Select(Node, frozen=True):
    """`operand.field`."""

    operand: "Expression"
    field: str


class Index(Node, frozen=True):
    """`operand[index]`."""

    operand: "Expression"
    index: "Expression"


class Unary(Node, frozen=True):
    """`!operand` or `-operand`."""

    sign: str
    operand: "Expression"


class Binary(Node, frozen=True):
    """An arithmetic operator, a relation or `in`."""

    sign: str
    left: "Expression"
    right: "Expression"


class Logical(Node, frozen=True):
    """A chain of `&&` or of `||` with two or more operands."""

    sign: str
    operands: tuple["Expression", ...]


class Conditional(Node, frozen=True):
    condition: "Expression"
    chosen: "Expression"
    otherwise: "Expression"


class ListDisplay(Node, frozen=True):
    items: tuple["Expression", ...]


class MapDisplay(Node, frozen=True):
    entries: tuple[tuple["Expression", "Expression"], ...]


class Call(Node, frozen=True):
    """`function(arguments)` or, as a member, `arguments[0].function(arguments[1:])`."""

    function: str
    arguments: tuple["Expression", ...]
    is_member: bool


class Has(Node, frozen=True):
    """`has(operand.field)`."""

    selection: Select


class Comprehension(Node, frozen=True):
    """`target.macro(variable, body)`; `condition` is the filter of the three-argument `map`."""

    macro: str
    target: "Expression"
    variable: str
    body: "Expression"
    condition: "Expression | None" = None


Expression: TypeAlias = (
    Literal
    | Name
    | Select
    | Index
    | Unary
    | Binary
    | Logical
    | Conditional
    | ListDisplay
    | MapDisplay
    | Call
    | Has
    | Comprehension
)


def children(node: Expression) -> tuple[Expression, ...]:
    """The node's direct operands."""
    match node:
        case Literal() | Name():
            return ()
        case Select(operand=operand) | Unary(operand=operand):
            return (operand,)
        case Index(operand=operand, index=index):
            return (operand, index)
        case Binary(left=left, right=right):
            return (left, right)
        case Logical(operands=operands) | ListDisplay(items=operands) | Call(arguments=operands):
            return operands
        case Conditional(condition=condition, chosen=chosen, otherwise=otherwise):
            return (condition, chosen, otherwise)
        case MapDisplay(entries=entries):
            return tuple(part for entry in entries for part in entry)
        case Has(selection=selection):
            return (selection,)
        case Comprehension(target=target, body=body, condition=condition):
            return (target, body) if condition is None else (target, condition, body)


def walk(node: Expression) -> Iterator[tuple[Expression, int]]:
    """Each node under and with `node`, in source order, and its depth; does not recurse."""
    pending = [(node, 1)]
    while pending:
        current, depth = pending.pop()
        yield current, depth
        pending.extend((child, depth + 1) for child in reversed(children(current)))


def count_nodes(node: Expression) -> int:
    return sum(1 for _ in walk(node))


def path_of(node: Expression) -> tuple[str, tuple[str, ...]] | None:
    """The root and the keys of `root.a["b"].c`; None for any other node."""
    keys: list[str] = []
    while True:
        match node:
            case Select(operand=operand, field=field):
                keys.append(field)
                node = operand
            case Index(operand=operand, index=Literal(value=str() as key)):
                keys.append(key)
                node = operand
            case Name(name=name):
                return name, tuple(reversed(keys))
            case _:
                return None
