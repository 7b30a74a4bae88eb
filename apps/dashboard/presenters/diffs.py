"""Two texts as the lines that differ, with two lines around. Pure."""

import difflib
from dataclasses import dataclass
from typing import Final

MAX_LINES: Final = 400
_KINDS: Final = {"+": "new", "-": "old", "@": "place"}


@dataclass(frozen=True, slots=True)
class DiffLine:
    """`kind` is new, old, place (of a part) or same; the text begins with its sign."""

    kind: str
    text: str


def diff_lines(before: str, after: str) -> list[DiffLine]:
    """Empty where they are the same."""
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=2))
    return [DiffLine(_KINDS.get(line[:1], "same"), line) for line in lines[2 : MAX_LINES + 2]]
