"""The syntax tree to Python closures: each node becomes a function of the scope."""

from typing import Final

from apps.engine.expressions import arithmetic
from apps.engine.expressions.comparison import ORDERINGS, contains, in_order, is_equal, is_map_key, item_at
from apps.engine.expressions.errors import BudgetExceeded, EvaluationError, no_overload
from apps.engine.expressions.functions import FUNCTIONS
from apps.engine.expressions.macros import Loop, holds, loop_evaluator
from apps.engine.expressions.paths import equality_with, ordering_with, path_reader
from apps.engine.expressions.regex import OPEN_PATTERN_VISITS
from apps.engine.expressions.scope import Evaluator, Scope
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
    count_nodes,
    path_of,
)
from apps.engine.expressions.values import MISSING, TYPES, Value, is_truthy, kind_of

_MIRRORED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


class Compiler:
    """Compiles a checked tree. `slot_count` is the number of macro variables an evaluation needs."""

    def __init__(self) -> None:
        self.slot_count = 0
        self._slots: dict[str, int] = {}

    def compile(self, node: Expression) -> Evaluator:
        """The evaluator of the node and all below it."""
        match node:
            case Literal(value=value):
                return lambda scope: value
            case Name() | Select() | Index():
                return self._access(node)
            case Unary():
                return self._unary(node)
            case Binary():
                return self._binary(node)
            case Logical(sign="&&"):
                return self._conjunction(node)
            case Logical():
                return self._disjunction(node)
            case Conditional():
                return self._conditional(node)
            case ListDisplay():
                return self._list(node)
            case MapDisplay():
                return self._map(node)
            case Call():
                return self._call(node)
            case Has(selection=selection):
                read = self.compile(selection)
                return lambda scope: read(scope) is not MISSING
            case Comprehension():
                return self._comprehension(node)

    def _access(self, node: Name | Select | Index) -> Evaluator:
        path = path_of(node)
        if path and path[0] in ("event", "async") and path[0] not in self._slots:
            return path_reader(*path)
        match node:
            case Name(name=name):
                return self._name(name)
            case Select(operand=operand, field=field):
                container = self.compile(operand)
                return lambda scope: item_at(container(scope), field)
            case Index(operand=operand, index=index):
                container, key = self.compile(operand), self.compile(index)
                return lambda scope: item_at(container(scope), key(scope))

    def _name(self, name: str) -> Evaluator:
        if name in self._slots:
            slot = self._slots[name]
            return lambda scope: scope.slots[slot]
        constant: Value = TYPES.get(name, MISSING)
        return lambda scope: constant

    def _unary(self, node: Unary) -> Evaluator:
        operand = self.compile(node.operand)
        if node.sign == "-":
            return lambda scope: arithmetic.negate(operand(scope))

        def invert(scope: Scope) -> Value:
            value = operand(scope)
            if isinstance(value, bool):
                return not value
            raise no_overload("!_", kind_of(value))

        return invert

    def _binary(self, node: Binary) -> Evaluator:
        left, right = self.compile(node.left), self.compile(node.right)
        sign = node.sign
        if sign in ("==", "!="):
            return self._equality(node, left, right)
        if sign in ORDERINGS:
            return self._ordering(node, left, right)
        match sign:
            case "in":
                return lambda scope: contains(right(scope), left(scope), scope)
            case "+":
                return lambda scope: arithmetic.add(left(scope), right(scope), scope)
            case "-":
                return lambda scope: arithmetic.subtract(left(scope), right(scope))
        return lambda scope: arithmetic.calculate(sign, left(scope), right(scope))

    def _equality(self, node: Binary, left: Evaluator, right: Evaluator) -> Evaluator:
        negated = node.sign == "!="
        special: Evaluator | None = None
        if isinstance(node.right, Literal):
            special = equality_with(left, node.right.value, negated=negated)
        elif isinstance(node.left, Literal):
            special = equality_with(right, node.left.value, negated=negated)
        if special is not None:
            return special
        if negated:
            return lambda scope: not is_equal(left(scope), right(scope), scope)
        return lambda scope: is_equal(left(scope), right(scope), scope)

    def _ordering(self, node: Binary, left: Evaluator, right: Evaluator) -> Evaluator:
        sign = node.sign
        special: Evaluator | None = None
        if isinstance(node.right, Literal):
            special = ordering_with(left, sign, node.right.value)
        elif isinstance(node.left, Literal):
            special = ordering_with(right, _MIRRORED[sign], node.left.value)
        return special or (lambda scope: in_order(sign, left(scope), right(scope)))

    def _conjunction(self, node: Logical) -> Evaluator:
        """The first falsy operand, else the last. One that fails is the first falsy one: it propagates."""
        *others, last = [self.compile(operand) for operand in node.operands]

        def evaluate(scope: Scope) -> Value:
            for operand in others:
                value = operand(scope)
                if value is not True and not is_truthy(value):
                    return value
            return last(scope)

        return evaluate

    def _disjunction(self, node: Logical) -> Evaluator:
        """The first truthy operand, else the last; operands that fail are passed over."""
        *others, last = [self.compile(operand) for operand in node.operands]

        def evaluate(scope: Scope) -> Value:
            for operand in others:
                try:
                    value = operand(scope)
                except BudgetExceeded:
                    raise
                except EvaluationError:
                    continue
                if value is True or is_truthy(value):
                    return value
            return last(scope)

        return evaluate

    def _conditional(self, node: Conditional) -> Evaluator:
        condition = self.compile(node.condition)
        chosen, otherwise = self.compile(node.chosen), self.compile(node.otherwise)
        return lambda scope: chosen(scope) if holds(condition, scope) else otherwise(scope)

    def _list(self, node: ListDisplay) -> Evaluator:
        items = [self.compile(item) for item in node.items]
        return lambda scope: [item(scope) for item in items]

    def _map(self, node: MapDisplay) -> Evaluator:
        entries = [(self.compile(key), self.compile(value)) for key, value in node.entries]

        def evaluate(scope: Scope) -> Value:
            result: dict[Value, Value] = {}
            for key, value in entries:
                name = key(scope)
                if not is_map_key(name):
                    raise EvaluationError(f"unsupported map key type '{kind_of(name)}'")
                if name in result:
                    raise EvaluationError("repeated key in a map")
                result[name] = value(scope)
            return result

        return evaluate

    def _call(self, node: Call) -> Evaluator:
        function = FUNCTIONS[node.function]
        arguments = [self.compile(argument) for argument in node.arguments]
        call = function.call
        surcharge = 0
        if node.function == "matches" and not isinstance(node.arguments[-1], Literal):
            surcharge = OPEN_PATTERN_VISITS
        if function.takes_missing:
            return lambda scope: call(scope, *[argument(scope) for argument in arguments])

        def evaluate(scope: Scope) -> Value:
            values = [argument(scope) for argument in arguments]
            if surcharge:
                scope.charge(surcharge)
            return MISSING if MISSING in values else call(scope, *values)

        return evaluate

    def _comprehension(self, node: Comprehension) -> Evaluator:
        target = self.compile(node.target)
        slot = self.slot_count
        self.slot_count += 1
        outer = self._slots
        self._slots = {**outer, node.variable: slot}
        condition = None if node.condition is None else self.compile(node.condition)
        body = self.compile(node.body)
        self._slots = outer
        cost = count_nodes(node.body) + (0 if node.condition is None else count_nodes(node.condition))
        return loop_evaluator(Loop(node.macro, target, slot, body, condition, cost))
