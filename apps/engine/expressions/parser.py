"""Tokens to a syntax tree, by operator precedence (the grammar of CEL without message construction)."""

from typing import Final

from apps.engine.expressions.arithmetic import LARGEST_INT, LARGEST_UINT, SMALLEST_INT
from apps.engine.expressions.errors import ExpressionError
from apps.engine.expressions.lexer import Token, tokens
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
    walk,
)
from apps.engine.expressions.values import Int, Uint

LONGEST_SOURCE: Final = 4_096
"""Characters an expression may have (spec 02, 2.2)."""

DEEPEST_BRACKETS: Final = 64
DEEPEST_TREE: Final = 128

MACROS: Final = frozenset({"all", "exists", "exists_one", "map", "filter"})

_PRECEDENCE: Final = {
    "||": 1,
    "&&": 2,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "in"), 3),
    **dict.fromkeys(("+", "-"), 4),
    **dict.fromkeys(("*", "/", "%"), 5),
}
_CONSTANTS: Final = {"true": True, "false": False, "null": None}
_RESERVED: Final = frozenset(
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "in",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ]
)


def parse(source: str) -> Expression:
    """The tree of `source`; raises ExpressionError for bad syntax and beyond the limits."""
    if len(source) > LONGEST_SOURCE:
        raise ExpressionError(f"the expression is longer than {LONGEST_SOURCE} characters", LONGEST_SOURCE)
    parser = _Parser(source)
    tree = parser.expression()
    parser.expect("end of expression")
    for node, depth in walk(tree):
        if depth > DEEPEST_TREE:
            raise ExpressionError("the expression is nested too deeply", node.position)
    return tree


class _Parser:
    def __init__(self, source: str) -> None:
        self._tokens = tokens(source)
        self._token = next(self._tokens)
        self._depth = 0

    def expression(self) -> Expression:
        """A complete expression; `?:` chains to the right."""
        self._depth += 1
        if self._depth > DEEPEST_BRACKETS:
            raise ExpressionError("the expression is nested too deeply", self._token.position)
        arms: list[tuple[Expression, Expression]] = []
        last = self._binary(1)
        while self._accept("?"):
            chosen = self.expression()
            self.expect(":")
            arms.append((last, chosen))
            last = self._binary(1)
        self._depth -= 1
        for condition, chosen in reversed(arms):
            last = Conditional(condition.position, condition, chosen, last)
        return last

    def expect(self, text: str) -> Token:
        """The current token, which must read `text`."""
        if self._token.text != text or self._token.kind in ("string", "bytes"):
            raise self._unexpected()
        return self._advance()

    def _advance(self) -> Token:
        token = self._token
        if token.kind != "end":
            self._token = next(self._tokens)
        return token

    def _accept(self, text: str) -> bool:
        if self._token.kind == "operator" and self._token.text == text:
            self._advance()
            return True
        return False

    def _unexpected(self) -> ExpressionError:
        token = self._token
        text = token.text if token.kind == "end" else f"'{token.text}'"
        return ExpressionError(f"Syntax error: unexpected {text}", token.position)

    def _binary(self, lowest: int) -> Expression:
        left = self._unary()
        while self._token.kind in ("operator", "word"):
            precedence = _PRECEDENCE.get(self._token.text, 0)
            if precedence < lowest or precedence == 0:
                break
            sign = self._advance()
            left = _combined(sign, left, self._binary(precedence + 1))
        return left

    def _unary(self) -> Expression:
        signs: list[Token] = []
        while self._token.kind == "operator" and self._token.text in ("!", "-"):
            signs.append(self._advance())
        if signs and signs[-1].text == "-" and self._token.kind in ("int", "double"):
            operand = self._members(self._number(signs.pop()))
        else:
            operand = self._members(self._primary())
        for sign in reversed(signs):
            operand = Unary(sign.position, sign.text, operand)
        return operand

    def _number(self, minus: Token | None = None) -> Literal:
        token = self._advance()
        position = minus.position if minus else token.position
        if isinstance(token.value, float):
            return Literal(position, -token.value if minus else token.value)
        if not isinstance(token.value, int):
            raise ExpressionError(f"Syntax error: unexpected '{token.text}'", token.position)
        number = -token.value if minus else token.value
        smallest, largest = (0, LARGEST_UINT) if token.kind == "uint" else (SMALLEST_INT, LARGEST_INT)
        if not smallest <= number <= largest:
            raise ExpressionError(f"invalid {token.kind} literal: out of range", position)
        return Literal(position, Uint(number) if token.kind == "uint" else Int(number))

    def _members(self, operand: Expression) -> Expression:
        while True:
            position = self._token.position
            if self._accept("."):
                operand = self._member(operand)
            elif self._accept("["):
                index = self.expression()
                self.expect("]")
                operand = Index(position, operand, index)
            else:
                return operand

    def _member(self, operand: Expression) -> Expression:
        if self._token.kind != "word":
            raise self._unexpected()
        name = self._advance()
        if not self._accept("("):
            return Select(name.position, operand, name.text)
        arguments = self._items(")")
        if name.text in MACROS:
            return _comprehension(name, operand, arguments)
        return Call(name.position, name.text, (operand, *arguments), is_member=True)

    def _primary(self) -> Expression:
        token = self._token
        if token.kind in ("int", "uint", "double"):
            return self._number()
        if token.kind in ("string", "bytes"):
            return Literal(token.position, self._advance().value)
        if token.kind == "word":
            return self._name()
        if self._accept("("):
            inner = self.expression()
            self.expect(")")
            return inner
        if self._accept("["):
            return ListDisplay(token.position, tuple(self._items("]", may_end_with_comma=True)))
        if self._accept("{"):
            return MapDisplay(token.position, tuple(self._entries()))
        if self._accept(".") and self._token.kind == "word":
            return self._name()
        raise self._unexpected()

    def _name(self) -> Expression:
        token = self._token
        if token.text in _RESERVED:
            raise self._unexpected()
        self._advance()
        if token.text in _CONSTANTS:
            return Literal(token.position, _CONSTANTS[token.text])
        if not self._accept("("):
            return Name(token.position, token.text)
        arguments = self._items(")")
        if token.text == "has":
            return _has(token, arguments)
        return Call(token.position, token.text, tuple(arguments), is_member=False)

    def _items(self, closing: str, *, may_end_with_comma: bool = False) -> list[Expression]:
        items: list[Expression] = []
        while not self._accept(closing):
            if items:
                self.expect(",")
                if may_end_with_comma and self._accept(closing):
                    break
            items.append(self.expression())
        return items

    def _entries(self) -> list[tuple[Expression, Expression]]:
        entries: list[tuple[Expression, Expression]] = []
        while not self._accept("}"):
            if entries:
                self.expect(",")
                if self._accept("}"):
                    break
            key = self.expression()
            self.expect(":")
            entries.append((key, self.expression()))
        return entries


def _combined(sign: Token, left: Expression, right: Expression) -> Expression:
    if sign.text not in ("&&", "||"):
        return Binary(sign.position, sign.text, left, right)
    if isinstance(left, Logical) and left.sign == sign.text:
        return Logical(left.position, sign.text, (*left.operands, right))
    return Logical(sign.position, sign.text, (left, right))


def _has(name: Token, arguments: list[Expression]) -> Has:
    if len(arguments) != 1 or not isinstance(arguments[0], Select):
        raise ExpressionError("invalid argument to has() macro", name.position)
    return Has(name.position, arguments[0])


def _comprehension(macro: Token, target: Expression, arguments: list[Expression]) -> Comprehension:
    most = 3 if macro.text == "map" else 2
    if not 2 <= len(arguments) <= most:
        raise ExpressionError(
            f"found no matching overload for '{macro.text}': a variable and an expression are needed",
            macro.position,
        )
    variable = arguments[0]
    if not isinstance(variable, Name):
        raise ExpressionError("argument must be a simple name", variable.position)
    condition = arguments[1] if len(arguments) == 3 else None
    return Comprehension(macro.position, macro.text, target, variable.name, arguments[-1], condition)
