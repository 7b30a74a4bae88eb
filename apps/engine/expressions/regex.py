"""Regular expressions for `matches()`: RE2 itself (`google-re2`), so matching takes linear time.

Python's `re` backtracks and one pattern could stall a worker; it also differs from RE2 in its syntax.
"""

from functools import lru_cache
from typing import Final, Protocol

import re2  # type: ignore[import-untyped]

from apps.engine.expressions.errors import EvaluationError
from apps.engine.expressions.scope import Meter

LONGEST_PATTERN: Final = 512
_PATTERN_MEMORY_BYTES: Final = 512 << 10
# When its automaton outgrows the memory RE2 takes some 3 ns per character and program instruction.
_STEPS_PER_VISIT_BITS = 12
OPEN_PATTERN_VISITS: Final = 200
"""What a pattern costs that is not a literal: compiling one, or finding it too large, takes up to 10 ms."""


class _Pattern(Protocol):
    @property
    def programsize(self) -> int: ...

    def search(self, text: bytes) -> object | None: ...


def _options() -> object:
    options = re2.Options()
    options.max_mem = _PATTERN_MEMORY_BYTES
    options.log_errors = False
    options.never_capture = True
    return options


_OPTIONS: Final = _options()


@lru_cache(256)
def compile_pattern(pattern: str) -> tuple[_Pattern, int]:
    """The compiled pattern and its program size; raises EvaluationError for what RE2 does not take."""
    if len(pattern) > LONGEST_PATTERN:
        raise EvaluationError(f"the regular expression is longer than {LONGEST_PATTERN} characters")
    try:
        compiled: _Pattern = re2.compile(pattern.encode(), _OPTIONS)
    except UnicodeEncodeError:
        raise EvaluationError("invalid regular expression: not valid Unicode") from None
    except re2.error as error:
        raise EvaluationError(f"invalid regular expression: {_reason(error)}") from None
    return compiled, compiled.programsize


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else ""
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)


def is_match(text: str, pattern: str, meter: Meter) -> bool:
    """Whether the pattern occurs anywhere in the text."""
    compiled, size = compile_pattern(pattern)
    meter.charge((len(text) * size) >> _STEPS_PER_VISIT_BITS)
    return compiled.search(text.encode("utf-8", "replace")) is not None
