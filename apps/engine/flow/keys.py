"""Key expressions: the value that they select for an event, for people and as part of Redis keys."""

import hashlib
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from apps.engine import expressions

_SHOWN_CHARACTERS = 256


class Key(NamedTuple):
    """`text` is the bucket string (spec 02, 2.8), `kind` value, missing, null or error, `problem` what an
    expression that cannot be evaluated is told by."""

    expression: str
    kind: str
    text: str
    problem: str = ""

    @property
    def selects(self) -> bool:
        """Whether a rate limit or a singleton with this key concerns the event at all (02, 4.2 and 4.6)."""
        return self.kind not in ("missing", "error") and self.text != "false"

    @property
    def digest(self) -> str:
        """Values can be large or secret, so Redis keys hold a digest of them."""
        return digest(self.text)

    @property
    def shown(self) -> str:
        return self.text[:_SHOWN_CHARACTERS]


def digest(*parts: str) -> str:
    return hashlib.sha1("\0".join(parts).encode(), usedforsecurity=False).hexdigest()[:20]


def evaluate_key(expression: str, event: Mapping[str, Any]) -> Key:
    """The key that `expression` selects for the event; never fails."""
    try:
        program = expressions.compile_expression(expression)
    except expressions.ExpressionError as exc:
        return Key(expression, "error", "<invalid>", str(exc))
    value = expressions.bucket(program, event)
    problem = f"{expression}: cannot be evaluated" if value.kind == "error" else ""
    return Key(expression, value.kind, value.text, problem)


class KeyReader:
    """Evaluates key expressions for one event, which is decoded when the first is met, and keeps what
    people should see of them."""

    def __init__(self, event: Callable[[], Mapping[str, Any]]) -> None:
        self._read_event = event
        self._known: dict[str, Key] = {}
        self.problems: list[str] = []
        self.shown: list[tuple[str, str, str]] = []

    @cached_property
    def _event(self) -> Mapping[str, Any]:
        return self._read_event()

    def read(self, setting: str, expression: str) -> Key:
        key = self._known.get(expression)
        if key is None:
            key = self._known[expression] = evaluate_key(expression, self._event)
        if key.problem:
            self.problems.append(f"{setting} key {key.problem}")
        self.shown.append((setting, expression, key.shown))
        return key

    def evaluate(self, setting: str, expression: str) -> expressions.Value:
        """The value of any other expression; None, and a problem noted, where it cannot be evaluated."""
        try:
            return expressions.compile_expression(expression).evaluate(self._event)
        except (expressions.ExpressionError, expressions.EvaluationError) as exc:
            self.problems.append(f"{setting} expression {expression}: {exc}")
            return None
