from collections.abc import Sequence

import pytest
from django.http import QueryDict

from apps.dashboard.selectors.keyset import Page, Position, page_url, position, read_page
from apps.dashboard.selectors.runs import RunCursor, parse_cursor

ROWS = list(range(10, 0, -1))


def read(at: Position[int], limit: int) -> Sequence[int]:
    if at.after is not None:
        return [row for row in ROWS if row > at.after][-limit:]
    if at.before is not None:
        return [row for row in ROWS if row < at.before][:limit]
    return ROWS[:limit]


def page(at: Position[int], size: int = 4) -> Page[int]:
    return read_page(at, read, str, size)


def test_the_first_page_has_nothing_newer() -> None:
    assert page(Position()) == Page([10, 9, 8, 7], newer="", older="7")
    assert page(Position()).is_first


def test_older_pages_lead_both_ways_until_the_end() -> None:
    assert page(Position(before=7)) == Page([6, 5, 4, 3], newer="6", older="3")
    assert page(Position(before=3)) == Page([2, 1], newer="2", older="")


def test_newer_pages_end_next_to_where_they_came_from() -> None:
    assert page(Position(after=2)) == Page([6, 5, 4, 3], newer="6", older="3")


def test_a_newer_page_that_reaches_the_top_is_the_first_page() -> None:
    assert page(Position(after=6)) == page(Position())
    assert page(Position(after=8)) == page(Position())


def test_beyond_the_end_there_is_an_empty_page() -> None:
    assert page(Position(before=1)) == Page([], newer="", older="")


def test_everything_on_one_page() -> None:
    assert page(Position(), size=10) == Page(ROWS, newer="", older="")


def test_urls_keep_the_filters() -> None:
    assert page_url("/runs", {"status": ["a", "b"]}, "before", "5.X") == "/runs?status=a&status=b&before=5.X"
    assert page_url("/runs", {}, "before", "") == ""


@pytest.mark.parametrize("text", ["", "x", "5", "5.", ".R", "-5.R", "5" * 20 + ".R", "\u0665.R"])
def test_a_cursor_that_cannot_be_read_is_none(text: str) -> None:
    assert parse_cursor(text) is None


def test_a_cursor_is_read_from_the_url() -> None:
    assert position(QueryDict("before=5.R1"), parse_cursor) == Position(before=RunCursor(5, "R1"))
