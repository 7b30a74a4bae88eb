from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.engine.protocol.dates import parse_date_ms, parse_due_ms, rfc3339
from apps.engine.protocol.durations import DurationError

MOMENT = 1_795_438_230_000  # 2026-11-23T12:50:30Z


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T12:50:30Z",
        "2026-11-23t12:50:30z",
        "2026-11-23T12:50:30",
        "2026-11-23 12:50:30",
        "2026-11-23 12:50:30 UTC",
        "2026-11-23T13:50:30+01:00",
        "2026-11-23T13:50:30+0100",
        "2026-11-23T07:20:30-05:30",
        "2026-11-23T12:50:30.000000000Z",
        "Mon, 23 Nov 2026 12:50:30 GMT",
        "Mon, 23 Nov 2026 14:50:30 +0200",
        "Monday, 23-Nov-26 12:50:30 GMT",
        "23 Nov 26 07:50:30 EST",
        "Mon Nov 23 12:50:30 2026",
        "Mon Nov 23 12:50:30 UTC 2026",
        "Mon Nov 23 04:50:30 -0800 2026",
        "  2026-11-23T12:50:30Z ",
    ],
)
def test_every_form_means_the_same_moment(text: str) -> None:
    assert parse_date_ms(text) == MOMENT


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("2026-11-23T12:50:30.684Z", MOMENT + 684),
        ("2026-11-23T12:50:30.6Z", MOMENT + 600),
        ("2026-11-23T12:50:30.684999999Z", MOMENT + 684),
        ("2026-11-23T12:50Z", MOMENT - 30_000),
        ("2026-11-23", MOMENT - 46_230_000),
        ("1969-12-31T23:59:59Z", -1_000),
        ("01 Jan 70 00:00 GMT", 0),
        ("31 Dec 68 00:00 GMT", 3_124_137_600_000),
    ],
)
def test_precision_and_defaults(text: str, milliseconds: int) -> None:
    assert parse_date_ms(text) == milliseconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-1-1",
        "20261123T125030Z",
        "2026-13-01",
        "2026-02-30",
        "2026-11-23T24:00:00Z",
        "2026-11-23T12:50:60Z",
        "2026-11-23T12:50:30+24:00",
        "2026-11-23T12:50:30 XYZ",
        "Mon, 23 Foo 2026 12:50:30 GMT",
        "0000-01-01",
        "1234567890",
        "10000000000ms",
        "2026-11-23T12:50:30Z and more",
        "٢٠٢٦-11-23",
    ],
)
def test_other_texts_are_no_dates(text: str) -> None:
    assert parse_date_ms(text) is None


def test_a_due_time_is_a_date_or_a_duration_from_now() -> None:
    assert parse_due_ms("2026-11-23T12:50:30Z", now_ms=5) == MOMENT
    assert parse_due_ms("2026-11-23", now_ms=5) == MOMENT - 46_230_000
    assert parse_due_ms("1.5s", now_ms=MOMENT) == MOMENT + 1_500
    assert parse_due_ms("1000000000ms", now_ms=1) == 1_000_000_001


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-13-01"])
def test_a_due_time_that_is_neither_is_refused(text: str) -> None:
    with pytest.raises(DurationError, match="invalid duration"):
        parse_due_ms(text, now_ms=0)


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (MOMENT, "2026-11-23T12:50:30Z"),
        (MOMENT + 680, "2026-11-23T12:50:30.68Z"),
        (MOMENT - 230_000, "2026-11-23T12:46:40Z"),
        (0, "1970-01-01T00:00:00Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
    ],
)
def test_rfc3339_has_no_trailing_zeros(milliseconds: int, text: str) -> None:
    assert rfc3339(milliseconds) == text


def test_rfc3339_of_a_year_that_no_date_has() -> None:
    with pytest.raises(ValueError, match="no date"):
        rfc3339(10**18)


@settings(deadline=None)
@given(st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31)))
def test_what_rfc3339_writes_reads_back(moment: datetime) -> None:
    milliseconds = (moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        milliseconds=1
    )
    assert parse_date_ms(rfc3339(milliseconds)) == milliseconds


@settings(deadline=None)
@given(st.one_of(st.text(), st.text(alphabet="0123456789-:T.Z+ JanMonGMT,", max_size=40)))
def test_any_text_is_a_date_or_not(text: str) -> None:
    assert isinstance(parse_date_ms(text), int | None)
