"""Timestamps and durations (spec 02, 2.5)."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.engine.expressions import MISSING, EvaluationError, compile_expression
from apps.engine.expressions.dates import format_timestamp, parse_date
from apps.engine.expressions.durations import format_duration, parse_duration
from apps.engine.expressions.values import Value

TEN = datetime(2024, 5, 5, 10, tzinfo=UTC)
TEN_PAST = datetime(2024, 5, 5, 10, 4, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-05-05T10:00:00Z", TEN),
        ("2024-05-05T12:00:00+02:00", TEN),
        ("2024-05-05T10:00:00.123456789Z", TEN.replace(microsecond=123456)),
        ("2024-05-05T10:00:00", TEN),
        ("2024-05-05", datetime(2024, 5, 5, tzinfo=UTC)),
        ("Sun, 05 May 2024 10:04:03 GMT", TEN_PAST),
        ("Sun, 05 May 2024 12:04:03 +0200", TEN_PAST),
        ("05 May 24 10:00 UTC", TEN),
        ("05 May 24 08:00 -0200", TEN),
        ("Sunday, 05-May-24 10:04:03 UTC", TEN_PAST),
        ("Sunday, 05-May-69 10:04:03 UTC", TEN_PAST.replace(year=1969)),
        ("Sun May  5 10:04:03 UTC 2024", TEN_PAST),
        ("Sun May 05 12:04:03 +0200 2024", TEN_PAST),
        ("Sun May  5 10:04:03 2024", TEN_PAST),
        ("May  5 10:04:03", TEN_PAST.replace(year=4)),
        ("May  5 10:04:03.250", TEN_PAST.replace(year=4, microsecond=250_000)),
    ],
)
def test_forms_of_dates(text: str, expected: datetime) -> None:
    assert parse_date(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "garbage",
        "2024-13-01",
        "2024-02-30",
        "2024-05-05T25:00:00Z",
        "Sun, 31 Feb 2024 10:00:00 GMT",
        "9" * 10_000,
        "0001-01-01T00:00:00+23:59",
        "Mon, 05 May 2024 10:00:00 +9999",
        "2024-05-05T10:00:00+99:99",
    ],
)
def test_what_is_no_date_fails(text: str) -> None:
    with pytest.raises(EvaluationError):
        parse_date(text)


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("1714903200", TEN),
        ("1714903200000", TEN),
        ("1714903200000000000", TEN),
        ("event.ts", TEN),
        ("event.data.float", TEN.replace(microsecond=500_000)),
        ("true", MISSING),
        ("[1]", MISSING),
        ("null", MISSING),
        ("timestamp('2024-05-05T10:00:00Z')", TEN),
    ],
)
def test_dates_of_other_kinds(argument: str, expected: Value) -> None:
    event: dict[str, object] = {"ts": 1_714_903_200_000, "data": {"float": 1714903200.5}}
    assert compile_expression(f"date({argument})").evaluate(event) == expected


@pytest.mark.parametrize("argument", ["0", "946684799", "-5", "event.data.inf", "event.data.nan", "1e300"])
def test_numbers_that_are_no_dates_fail(argument: str) -> None:
    event: dict[str, object] = {"data": {"inf": float("inf"), "nan": float("nan")}}
    with pytest.raises(EvaluationError):
        compile_expression(f"date({argument})").evaluate(event)


@pytest.mark.parametrize(
    ("getter", "expected"),
    [
        ("getFullYear()", 2024),
        ("getMonth()", 4),
        ("getDate()", 5),
        ("getDayOfMonth()", 4),
        ("getDayOfWeek()", 0),
        ("getDayOfYear()", 125),
        ("getHours()", 22),
        ("getMinutes()", 30),
        ("getSeconds()", 15),
        ("getMilliseconds()", 250),
        ("getHours('+02:00')", 0),
        ("getHours('-02:30')", 20),
        ("getDate('+02:00')", 6),
    ],
)
def test_parts_of_a_timestamp(getter: str, expected: int) -> None:
    assert compile_expression(f"timestamp('2024-05-05T22:30:15.25Z').{getter}").evaluate({}) == expected


@pytest.mark.parametrize(
    ("getter", "expected"),
    [("getHours()", 1), ("getMinutes()", 61), ("getSeconds()", 3661), ("getMilliseconds()", 500)],
)
def test_parts_of_a_duration(getter: str, expected: int) -> None:
    assert compile_expression(f"duration('1h1m1.5s').{getter}").evaluate({}) == expected
    assert compile_expression(f"duration('-1h1m1.5s').{getter}").evaluate({}) == -expected


@pytest.mark.parametrize("zone", ["Nowhere/City", "../etc/passwd", "", "+99:99", "America", "x" * 200])
def test_unknown_zones_fail(zone: str) -> None:
    with pytest.raises(EvaluationError, match="unknown time zone"):
        compile_expression(f"now().getHours('{zone}')").evaluate({})


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("duration('5m') > duration('1m')", True),
        ("duration('60s') == duration('1m')", True),
        ("duration('1h') + duration('1m') == duration('61m')", True),
        ("duration('1h') - duration('1m') == duration('59m')", True),
        ("-duration('1h') < duration('0')", True),
        ("date('2024-01-02') - date('2024-01-01') == duration('24h')", True),
        ("date('2024-01-01') + duration('24h') == date('2024-01-02')", True),
        ("duration('24h') + date('2024-01-01') == date('2024-01-02')", True),
        ("date('2024-01-02') - duration('24h') == date('2024-01-01')", True),
        ("date('2024-01-01') == '2024-01-01'", False),
    ],
)
def test_date_arithmetic(source: str, expected: bool) -> None:
    assert compile_expression(source).evaluate({}) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", timedelta(0)),
        ("5m", timedelta(minutes=5)),
        ("1.5h", timedelta(minutes=90)),
        ("1h30m10s", timedelta(hours=1, minutes=30, seconds=10)),
        ("-250ms", timedelta(milliseconds=-250)),
        ("10us", timedelta(microseconds=10)),
        ("7d", timedelta(days=7)),
        ("1w", timedelta(days=7)),
    ],
)
def test_durations(text: str, expected: timedelta) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize(
    "text", ["", "5", "m", "5 m", "5m ", "1e3s", "9999999999999w", "-", "٣m", "1h" * 100]
)
def test_what_is_no_duration_fails(text: str) -> None:
    with pytest.raises(EvaluationError):
        parse_duration(text)


def test_text_of_times() -> None:
    assert format_timestamp(TEN.replace(microsecond=120_000)) == "2024-05-05T10:00:00.12Z"
    assert format_timestamp(TEN) == "2024-05-05T10:00:00Z"
    assert format_duration(timedelta(milliseconds=-1500)) == "-1.5s"
    assert format_duration(timedelta(minutes=5)) == "300s"
