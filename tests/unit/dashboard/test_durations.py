import pytest

from apps.dashboard.presenters.durations import duration_text, period_text, relative_text


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "0 ms"),
        (999, "999 ms"),
        (1_000, "1.00 s"),
        (3_209, "3.20 s"),
        (9_999, "9.99 s"),
        (10_000, "10.0 s"),
        (59_999, "59.9 s"),
        (60_000, "1 m"),
        (64_500, "1 m 4 s"),
        (3_600_000, "1 h"),
        (7_500_000, "2 h 5 m"),
        (86_400_000, "1 d"),
        (273_600_000, "3 d 4 h"),
    ],
)
def test_a_duration_shows_what_matters_at_its_size(ms: int, text: str) -> None:
    assert duration_text(ms) == text


@pytest.mark.parametrize(
    ("ms", "text"), [(30_000, "30 s"), (1_500, "1.50 s"), (60_000, "1 m"), (250, "250 ms")]
)
def test_a_configured_period_has_no_needless_decimals(ms: int, text: str) -> None:
    assert period_text(ms) == text


@pytest.mark.parametrize(
    ("age_ms", "text"),
    [
        (0, "just now"),
        (-999, "just now"),
        (1_000, "1 s ago"),
        (119_999, "1 m ago"),
        (7_200_000, "2 h ago"),
        (172_800_000, "2 d ago"),
        (-7_200_000, "in 2 h"),
    ],
)
def test_a_distance_in_time_looks_both_ways(age_ms: int, text: str) -> None:
    assert relative_text(age_ms) == text
