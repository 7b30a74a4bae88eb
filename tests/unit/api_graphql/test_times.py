"""RFC 3339 in and out (spec 03, 1.7)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.api.graphql.times import epoch_ms, format_time, parse_time


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_795_439_221_749, "2026-11-23T13:07:01.749Z"),
        (1_795_439_221_700, "2026-11-23T13:07:01.7Z"),
        (datetime(2026, 11, 23, 13, 7, 1, 47, tzinfo=UTC), "2026-11-23T13:07:01.000047Z"),
    ],
)
def test_format(value: datetime | int, text: str) -> None:
    assert format_time(value) == text


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2026-11-23T13:07:01Z", 1_795_439_221_000),
        ("2026-11-23t13:07:01.047439632z", 1_795_439_221_047),
        ("2026-11-23T14:07:01.5+01:00", 1_795_439_221_500),
        ("1969-12-31T23:59:59.999Z", -1),
    ],
)
def test_parse(text: str, ms: int) -> None:
    assert epoch_ms(parse_time(text)) == ms


@pytest.mark.parametrize(
    "text",
    ["", "now", "2026-11-23", "2026-11-23T13:07:01", "2026-13-23T13:07:01Z", "٢026-11-23T13:07:01Z", "1"],
)
def test_what_is_no_timestamp(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_time(text)


@given(st.integers(min_value=0, max_value=4_102_444_800_000))
def test_milliseconds_come_back(ms: int) -> None:
    assert epoch_ms(parse_time(format_time(ms))) == ms


@given(st.text())
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        moment = parse_time(text)
    except ValueError:
        return
    assert moment.utcoffset() is not None
    assert abs(moment.utcoffset() or timedelta()) <= timedelta(days=1)
