"""CEL filters of lists (spec 03, 6.5): one expression a line, all of which must hold."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from graphql import GraphQLError

from apps.engine.expressions import ExpressionError, Program, compile_expression, matches
from apps.engine.expressions.lexer import tokens

MAX_SCANNED_ROWS: Final = 20_000  # about two seconds of reading and evaluating

CHUNK: Final = 500  # rows whose payloads are held at a time

_OUTCOME_NAMES: Final = frozenset({"output", "error"})


class ScanTooLong(GraphQLError):
    def __init__(self) -> None:
        super().__init__(
            f"the query has to look into more than {MAX_SCANNED_ROWS} rows; narrow the time range"
        )


class ExpressionFilter:
    """`reads_outcome`: a line names `output` or `error`, which only runs have."""

    def __init__(self, text: str) -> None:
        """Raises GraphQLError, with the place of a syntax error."""
        lines = [line for line in text.splitlines() if line.strip()]
        rewritten = [_within_event(line) for line in lines]
        self.reads_outcome = rewritten != lines
        self._programs = [_compiled(line) for line in rewritten]

    def accepts(self, events: Sequence[Mapping[str, object]], outcome: Mapping[str, object]) -> bool:
        """Whether one of the events meets every line; `outcome` holds the run's output or error."""
        return any(self._holds({**event, **outcome}) for event in events or [{}])

    def _holds(self, scope: Mapping[str, object]) -> bool:
        return all(matches(program, scope) for program in self._programs)


def _compiled(line: str) -> Program:
    try:
        return compile_expression(line)
    except ExpressionError as error:
        raise GraphQLError(str(error)) from error


def _within_event(line: str) -> str:
    """The language knows events only, so that a run's outcome is looked up as a member of the event."""
    places = _outcome_positions(line)
    for place in reversed(places):
        line = f"{line[:place]}event.{line[place:]}"
    return line


def _outcome_positions(line: str) -> list[int]:
    try:
        found = list(tokens(line))
    except ExpressionError as error:
        raise GraphQLError(str(error)) from error
    before: Iterable[str] = ["", *(token.text for token in found)]
    return [
        token.position
        for token, previous in zip(found, before, strict=False)
        if token.kind == "word" and token.text in _OUTCOME_NAMES and previous != "."
    ]
