import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.engine.protocol.retry import backoff_ms, retry_after_ms

NOW = 1_795_438_230_000  # 2026-11-23T12:50:30Z


class Fixed(random.Random):
    def __init__(self, jitter_ms: int) -> None:
        super().__init__(0)
        self.jitter_ms = jitter_ms

    def randint(self, a: int, b: int) -> int:
        assert (a, b) == (0, 30_000)
        return self.jitter_ms


@pytest.mark.parametrize(
    ("attempt", "seconds"),
    [
        (0, 15),
        (1, 30),
        (2, 60),
        (3, 120),
        (4, 300),
        (5, 600),
        (6, 1200),
        (7, 2400),
        (8, 3600),
        (9, 7200),
        (20, 7200),
    ],
)
def test_the_table_with_jitter(attempt: int, seconds: int) -> None:
    assert backoff_ms(attempt, Fixed(0)) == seconds * 1000
    assert backoff_ms(attempt, Fixed(30_000)) == seconds * 1000 + 30_000


def test_a_fixed_interval_is_exact() -> None:
    assert [backoff_ms(attempt, Fixed(99), fixed_interval_s=1) for attempt in (0, 9)] == [1_000, 1_000]


@pytest.mark.parametrize(
    ("header", "delay_ms"),
    [
        ("2", 2_000),
        (" 30 ", 30_000),
        ("0", 1_000),
        ("86400", 86_400_000),
        ("9999999", 86_400_000),
        ("2026-11-23T12:51:30Z", 60_000),
        ("2026-11-23T12:50:32.345Z", 2_345),
        ("Mon, 23 Nov 2026 12:52:30 GMT", 120_000),
        ("2020-01-01T00:00:00Z", 1_000),
        ("2030-01-01", 86_400_000),
    ],
)
def test_the_moment_that_is_asked_for(header: str, delay_ms: int) -> None:
    assert retry_after_ms(header, NOW) == NOW + delay_ms


@pytest.mark.parametrize("header", ["", "soon", "-5", "1.5", "12345678", "next week!", "²"])
def test_what_says_nothing_is_ignored(header: str) -> None:
    assert retry_after_ms(header, NOW) is None


@settings(deadline=None)
@given(st.text())
def test_any_header_is_within_a_day_or_ignored(header: str) -> None:
    moment = retry_after_ms(header, NOW)
    assert moment is None or NOW + 1_000 <= moment <= NOW + 86_400_000
