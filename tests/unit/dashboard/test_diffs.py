"""Lines that differ."""

from apps.dashboard.presenters.diffs import MAX_LINES, DiffLine, diff_lines


def test_equal_texts_have_no_lines() -> None:
    assert diff_lines("a\nb", "a\nb\n") == []


def test_lines_say_what_became_of_them() -> None:
    assert diff_lines("a\nb\nc\nd", "a\nB\nc\nd") == [
        DiffLine("place", "@@ -1,4 +1,4 @@"),
        DiffLine("same", " a"),
        DiffLine("old", "-b"),
        DiffLine("new", "+B"),
        DiffLine("same", " c"),
        DiffLine("same", " d"),
    ]


def test_there_are_not_too_many() -> None:
    assert len(diff_lines("", "x\n" * 5000)) == MAX_LINES
