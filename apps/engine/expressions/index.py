"""Equality terms: what lets an event find the waits and cancellations it may match (spec 02, 7.2 'Scaling').

From `async.data.id == event.data.id && ...` comes the term (("data", "id"), <value now>): an event matches
only if it has that value at that path. A term is sound for texts, booleans and numbers; a missing or null
side is not indexed, since missing equals null.
"""

import hashlib
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Literal, NamedTuple, TypeAlias

from apps.engine.expressions.errors import EvaluationError
from apps.engine.expressions.paths import follow_event
from apps.engine.expressions.program import Program, matches
from apps.engine.expressions.syntax import Binary, Expression, Logical, path_of
from apps.engine.expressions.values import Value

Path: TypeAlias = tuple[str, ...]

MOST_TERMS: Final = 4


class EqualityTerms(NamedTuple):
    """`terms` are (path in the incoming event, value it must have there).

    `is_complete`: an event that has them all matches, nothing else needs to be evaluated.
    """

    terms: tuple[tuple[Path, Value], ...]
    is_complete: bool


class _Candidate(NamedTuple):
    path: Path
    value: Program


def equality_terms(program: Program, event: Mapping[str, object]) -> EqualityTerms:
    """The terms that an `async` event has to fulfil when `event` is the run's first event."""
    candidates, is_complete = _plan(program)
    terms: list[tuple[Path, Value]] = []
    for candidate in candidates[:MOST_TERMS]:
        value = _value_now(candidate.value, event)
        if _is_indexable(value):
            terms.append((candidate.path, value))
    return EqualityTerms(tuple(terms), is_complete and len(terms) == len(candidates))


def _value_now(program: Program, event: Mapping[str, object]) -> Value:
    try:
        return program.evaluate(event)
    except EvaluationError:
        # The expression itself fails in the same way for every event and so matches none.
        return None


@lru_cache(2_048)
def _plan(program: Program) -> tuple[tuple[_Candidate, ...], bool]:
    """The conjuncts that can become terms, and whether they are all of the expression."""
    conjuncts = _conjuncts(program.tree)
    candidates = [candidate for conjunct in conjuncts if (candidate := _candidate(conjunct))]
    return tuple(candidates), len(candidates) == len(conjuncts)


def _conjuncts(node: Expression) -> list[Expression]:
    if isinstance(node, Logical) and node.sign == "&&":
        return [part for operand in node.operands for part in _conjuncts(operand)]
    return [node]


def _candidate(node: Expression) -> _Candidate | None:
    if not isinstance(node, Binary) or node.sign != "==":
        return None
    for side, other in ((node.left, node.right), (node.right, node.left)):
        found = path_of(side)
        if found and found[0] == "async" and found[1]:
            value = Program("", other)
            return None if value.uses_async or value.is_volatile else _Candidate(found[1], value)
    return None


def _is_indexable(value: Value) -> bool:
    if isinstance(value, float):
        return not math.isnan(value)
    return isinstance(value, str | int)


def index_key(path: Path, value: Value) -> str:
    """A hash that is the same for values that are equal in expressions; "" for what cannot be indexed."""
    if not _is_indexable(value):
        return ""
    digest = hashlib.blake2b(digest_size=16)
    for part in (*path, _canonical(value)):
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(encoded))
        digest.update(encoded)
    return digest.hexdigest()


def _canonical(value: Value) -> str:
    """Text that is equal for equal values only: 5 and 5.0 alike, true and 1 apart."""
    if isinstance(value, bool):
        return f"b{value}"
    if isinstance(value, float) and not value.is_integer():
        return f"f{value.hex()}"
    if isinstance(value, int | float):
        return f"i{int(value):x}"
    return f"s{value}"


def lookup(event: Mapping[str, object], path: Path) -> Value:
    """The value that `async.<path>` has for this event, MISSING where there is none."""
    return follow_event(event if isinstance(event, dict) else dict(event), path)


CancelState: TypeAlias = Literal["never", "always", "depends"]


def cancel_state(program: Program, event: Mapping[str, object]) -> CancelState:
    """Whether the expression is already decided by the run's first event (spec 02, 2.7 rule 2)."""
    if program.uses_async or program.is_volatile:
        return "depends"
    return "always" if matches(program, event) else "never"
