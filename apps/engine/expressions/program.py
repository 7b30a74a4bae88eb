"""Compiled expressions and what the engine asks of them: a match, a key, a validation."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from apps.engine.expressions.checker import check
from apps.engine.expressions.compiler import Compiler
from apps.engine.expressions.display import display_text
from apps.engine.expressions.errors import EvaluationError, ExpressionError
from apps.engine.expressions.functions import FUNCTIONS
from apps.engine.expressions.parser import parse
from apps.engine.expressions.policy import policy_violation
from apps.engine.expressions.scope import NODE_BUDGET, Evaluator, Meter, Scope
from apps.engine.expressions.syntax import Call, Expression, Name, walk
from apps.engine.expressions.values import MISSING, Value

_CACHED_PROGRAMS = 2_048


class Program:
    """A compiled expression; immutable, so it can be shared between threads.

    `uses_async` tells whether it names the other event, `is_volatile` whether it asks for the time.
    """

    __slots__ = ("_budget", "_evaluate", "_slots", "is_volatile", "source", "tree", "uses_async")

    def __init__(self, source: str, tree: Expression) -> None:
        nodes = [node for node, _ in walk(tree)]
        compiler = Compiler()
        self.source = source
        self.tree = tree
        self.uses_async = any(isinstance(node, Name) and node.name == "async" for node in nodes)
        self.is_volatile = any(
            isinstance(node, Call) and FUNCTIONS[node.function].is_volatile for node in nodes
        )
        self._evaluate: Evaluator = compiler.compile(tree)
        self._slots = compiler.slot_count
        self._budget = NODE_BUDGET - len(nodes)

    def evaluate(self, event: Mapping[str, object], async_event: Mapping[str, object] | None = None) -> Value:
        """The value for decoded JSON events, MISSING included; raises EvaluationError and nothing else."""
        scope = Scope(event, async_event, self._slots, self._budget)
        try:
            return self._evaluate(scope)
        except EvaluationError:
            raise
        except RecursionError:
            raise EvaluationError("the data is nested too deeply") from None
        except Exception as error:
            # A tenant's expression must not take the worker down, whatever we overlooked.
            raise EvaluationError(f"the expression failed with {type(error).__name__}") from error

    def result(self, event: Mapping[str, object], async_event: Mapping[str, object] | None = None) -> Value:
        """Like `evaluate`, with a missing result delivered as false (spec 02, 2.3)."""
        value = self.evaluate(event, async_event)
        return False if value is MISSING else value


@lru_cache(_CACHED_PROGRAMS)
def compile_expression(source: str) -> Program:
    """The program of `source`, parsed, checked and compiled; raises ExpressionError."""
    try:
        tree = parse(source)
        check(tree)
        return Program(source, tree)
    except RecursionError:
        raise ExpressionError("the expression is nested too deeply") from None


def validate(source: str, *, restricted: bool = False) -> str | None:
    """What is wrong with the source, None if nothing; `restricted` applies the policy of `cancelOn.if`."""
    try:
        program = compile_expression(source)
    except ExpressionError as error:
        return str(error)
    return policy_violation(program.tree) if restricted else None


class Outcome(NamedTuple):
    """`error` says why an expression that failed did not match."""

    matched: bool
    error: str | None = None


def match_outcome(
    program: Program, event: Mapping[str, object], async_event: Mapping[str, object] | None = None
) -> Outcome:
    """Whether the result is the boolean true; an evaluation that fails does not match."""
    try:
        return Outcome(program.evaluate(event, async_event) is True)
    except EvaluationError as error:
        return Outcome(False, str(error))


def matches(
    program: Program, event: Mapping[str, object], async_event: Mapping[str, object] | None = None
) -> bool:
    """Whether the result is the boolean true; other values and failures are no match."""
    try:
        return program.evaluate(event, async_event) is True
    except EvaluationError:
        return False


class Bucket(NamedTuple):
    """`kind` is value, missing, null or error; `text` the bucket string (spec 02, 2.8), valid Unicode."""

    kind: str
    text: str


MISSING_BUCKET: Final = Bucket("missing", "false")
NULL_BUCKET: Final = Bucket("null", "<nil>")
ERROR_BUCKET: Final = Bucket("error", "<invalid>")


def bucket(program: Program, event: Mapping[str, object]) -> Bucket:
    """The bucket that a key expression selects; never fails."""
    try:
        value = program.evaluate(event)
        if value is MISSING:
            return MISSING_BUCKET
        if value is None:
            return NULL_BUCKET
        return Bucket("value", _valid_unicode(display_text(value, Meter())))
    except (EvaluationError, RecursionError):
        return ERROR_BUCKET


def _valid_unicode(text: str) -> str:
    """JSON can hold lone surrogates, which no database or Redis client encodes."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
