"""Keyset pages: a position in the list's order instead of a page number, so that depth costs nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from django.http import QueryDict
from django.utils.http import urlencode

Item = TypeVar("Item")
Cursor = TypeVar("Cursor")

PAGE_SIZE: Final = 50
OLDER: Final = "before"
NEWER: Final = "after"


@dataclass(frozen=True, slots=True)
class Position(Generic[Cursor]):
    """Where a page begins: `before` or `after` an item, or at the newest one when both are None."""

    before: Cursor | None = None
    after: Cursor | None = None


def position(query: QueryDict, parse: Callable[[str], Cursor | None]) -> Position[Cursor]:
    """From the URL; a cursor that cannot be read counts as none."""
    return Position(before=parse(query.get(OLDER, "")), after=parse(query.get(NEWER, "")))


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Newest first. `newer` and `older` are the cursors of what lies beyond, empty at an end."""

    items: Sequence[Item]
    newer: str = ""
    older: str = ""

    @property
    def is_first(self) -> bool:
        return not self.newer


def read_page(
    at: Position[Cursor],
    read: Callable[[Position[Cursor], int], Sequence[Item]],
    cursor_of: Callable[[Item], str],
    size: int = PAGE_SIZE,
) -> Page[Item]:
    """`read` gives at most as many items as asked for, next to the position, newest first."""
    rows = read(at, size + 1)
    if at.after is not None:
        if len(rows) <= size:
            return read_page(Position(), read, cursor_of, size)
        items = rows[-size:]
        return Page(items, newer=cursor_of(items[0]), older=cursor_of(items[-1]))
    items = rows[:size]
    is_inner = at.before is not None and bool(items)
    return Page(
        items,
        newer=cursor_of(items[0]) if is_inner else "",
        older=cursor_of(items[-1]) if len(rows) > size else "",
    )


def page_url(path: str, query: Mapping[str, str | list[str]], key: str, cursor: str) -> str:
    """Empty without a cursor."""
    return f"{path}?{urlencode({**query, key: cursor}, doseq=True)}" if cursor else ""
