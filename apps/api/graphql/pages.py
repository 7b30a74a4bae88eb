"""Connections: a page of rows with cursors; the total is counted only when it is asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Edge(NamedTuple, Generic[T]):
    node: T
    cursor: str


class PageFacts(NamedTuple):
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`is_full`: there are as many rows as were asked for, so that there may be more."""

    edges: Sequence[Edge[T]]
    is_full: bool
    is_continued: bool
    count: Callable[[], int]

    @property
    def page_info(self) -> PageFacts:
        first = self.edges[0].cursor if self.edges else None
        last = self.edges[-1].cursor if self.edges else None
        return PageFacts(self.is_full, self.is_continued, first, last)


def size_or_default(first: int, *, maximum: int, default: int = 40) -> int:
    """Sizes out of range mean the default (spec 03, 6.5 and 6.11)."""
    return first if 0 < first <= maximum else default
