from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.engine.cron import jitter_ms, next_tick_ms, validate
from apps.engine.protocol.dates import parse_date_ms, rfc3339


def ticks(expression: str, after: str, count: int) -> list[str | None]:
    moment = parse_date_ms(after)
    found: list[str | None] = []
    while len(found) < count and moment is not None:
        moment = next_tick_ms(expression, moment)
        found.append(None if moment is None else rfc3339(moment))
    return found


@pytest.mark.parametrize(
    "expression",
    [
        "* * * * *",
        "*/15 0,12 1-7 JAN-mar Mon,fri",
        "10-50/10 */2 ? * ?",
        "5/20 * * * 0-6",
        "0 0 30 2 *",
        "TZ=Europe/Paris 0 9 * * *",
        "CRON_TZ=America/New_York  0 9 * * *",
        "  0   9 * *\t* ",
    ],
)
def test_valid_schedules(expression: str) -> None:
    assert validate(expression) is None


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "* * * *",
        "* * * * * *",
        "@hourly",
        "@every 5m",
        "0 0 L * *",
        "0 0 * * 5#2",
        "0 0 * * 5L",
        "0 0 * * 7",
        "0 0 * * 5-7",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * 32 * *",
        "* * * 13 *",
        "* * * 0 *",
        "*/0 * * * *",
        "5-1 * * * *",
        "1,,2 * * * *",
        "1, * * * *",
        "*-5 * * * *",
        "* * * mon *",
        "* * * * jan",
        "* * * * xyz",
        "H * * * *",
        "R * * * *",
        "-1 * * * *",
        "1.5 * * * *",
        "TZ=Nowhere/Land * * * * *",
        "TZ= * * * * *",
        "TZ=../../etc/passwd * * * * *",
        "TZ=Europe * * * * *",
        "Europe/Paris * * * * *",
        "٣ * * * *",
    ],
)
def test_invalid_schedules(expression: str) -> None:
    assert validate(expression) == f"'{expression}' isn't a valid cron schedule"
    with pytest.raises(ValueError, match=r".+"):
        next_tick_ms(expression, 0)


def test_length_is_bounded() -> None:
    assert validate("* * * * *" + " " * 247) == "cron is too long. maximum length is 255 characters"
    assert validate("* * * * *" + " " * 246) is None


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("* * * * *", ["2026-11-23T12:51:00Z", "2026-11-23T12:52:00Z"]),
        ("50 12 * * *", ["2026-11-24T12:50:00Z"]),
        ("51 12 * * *", ["2026-11-23T12:51:00Z"]),
        ("*/20 13-14 * * *", ["2026-11-23T13:00:00Z", "2026-11-23T13:20:00Z"]),
        ("5/20 * * * *", ["2026-11-23T13:05:00Z", "2026-11-23T13:25:00Z", "2026-11-23T13:45:00Z"]),
        ("0 9 * * SUN", ["2026-11-29T09:00:00Z"]),
        ("0 9 * * 0", ["2026-11-29T09:00:00Z"]),
        ("0 9 1 jan ?", ["2027-01-01T09:00:00Z"]),
        ("TZ=Europe/Paris 0 14 * * *", ["2026-11-23T13:00:00Z"]),
        ("CRON_TZ=Asia/Kolkata 0 19 * * *", ["2026-11-23T13:30:00Z"]),
        ("0 0 29 2 *", ["2028-02-29T00:00:00Z"]),
        ("0 0 30 2 *", [None]),
    ],
)
def test_next_ticks(expression: str, expected: list[str | None]) -> None:
    assert ticks(expression, "2026-11-23T12:50:00Z", len(expected)) == expected


def test_a_day_matches_by_either_day_field_when_both_are_restricted() -> None:
    assert ticks("0 0 13 * FRI", "2027-08-07T00:00:00Z", 3) == [
        "2027-08-13T00:00:00Z",
        "2027-08-20T00:00:00Z",
        "2027-08-27T00:00:00Z",
    ]
    assert ticks("0 0 25 * MON", "2026-11-23T12:00:00Z", 2) == [
        "2026-11-25T00:00:00Z",
        "2026-11-30T00:00:00Z",
    ]
    assert ticks("0 0 25 * *", "2026-11-23T12:00:00Z", 2) == ["2026-11-25T00:00:00Z", "2026-12-25T00:00:00Z"]


def test_a_tick_is_after_the_moment_never_at_it() -> None:
    at = parse_date_ms("2026-11-23T12:50:00Z")
    assert at is not None
    assert next_tick_ms("50 12 * * *", at - 1) == at
    assert next_tick_ms("50 12 * * *", at) == at + 86_400_000


# Paris, 2026-03-29: 02:00 +01:00 becomes 03:00 +02:00 at 01:00Z.
def test_a_local_time_that_does_not_exist_does_not_fire() -> None:
    assert ticks("TZ=Europe/Paris 30 2 * * *", "2026-03-28T00:00:00Z", 3) == [
        "2026-03-28T01:30:00Z",
        "2026-03-30T00:30:00Z",
        "2026-03-31T00:30:00Z",
    ]


def test_every_real_hour_fires_over_the_spring_gap() -> None:
    assert ticks("TZ=Europe/Paris 30 * * * *", "2026-03-28T23:45:00Z", 3) == [
        "2026-03-29T00:30:00Z",
        "2026-03-29T01:30:00Z",
        "2026-03-29T02:30:00Z",
    ]


# Paris, 2026-10-25: 03:00 +02:00 becomes 02:00 +01:00 at 01:00Z.
@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ("2", ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]),
        ("2,4", ["2026-10-25T00:30:00Z", "2026-10-25T03:30:00Z"]),
        ("1-3", ["2026-10-24T23:30:00Z", "2026-10-25T00:30:00Z", "2026-10-25T02:30:00Z"]),
    ],
)
def test_a_fixed_hour_fires_the_first_time_only(hours: str, expected: list[str]) -> None:
    assert ticks(f"TZ=Europe/Paris 30 {hours} * * *", "2026-10-24T23:00:00Z", len(expected)) == expected


def test_a_fixed_hour_between_its_two_occurrences_waits_for_the_next_day() -> None:
    assert ticks("TZ=Europe/Paris 30 2 * * *", "2026-10-25T01:10:00Z", 1) == ["2026-10-26T01:30:00Z"]


def test_any_hour_fires_in_both_occurrences() -> None:
    assert ticks("TZ=Europe/Paris */30 * * * *", "2026-10-24T23:40:00Z", 6) == [
        "2026-10-25T00:00:00Z",
        "2026-10-25T00:30:00Z",
        "2026-10-25T01:00:00Z",
        "2026-10-25T01:30:00Z",
        "2026-10-25T02:00:00Z",
        "2026-10-25T02:30:00Z",
    ]
    assert ticks("TZ=Europe/Paris 30 */2 * * *", "2026-10-24T22:45:00Z", 3) == [
        "2026-10-25T00:30:00Z",
        "2026-10-25T01:30:00Z",
        "2026-10-25T03:30:00Z",
    ]


def test_a_shift_of_half_an_hour() -> None:
    assert ticks("TZ=Australia/Lord_Howe 0,45 * * * *", "2026-04-04T14:20:00Z", 4) == [
        "2026-04-04T14:45:00Z",
        "2026-04-04T15:15:00Z",
        "2026-04-04T15:30:00Z",
        "2026-04-04T16:15:00Z",
    ]


@given(
    st.sampled_from(["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "UTC", "Africa/Casablanca"]),
    st.sampled_from(["*", "*/7", "0,30", "59"]),
    st.sampled_from(["*", "*/3", "2", "0-4"]),
    st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2027, 12, 31)),
)
@settings(max_examples=60, deadline=None)
def test_ticks_are_those_of_a_walk_over_every_minute(
    zone: str, minute: str, hour: str, start: datetime
) -> None:
    expression = f"TZ={zone} {minute} {hour} * * *"
    after = start.replace(second=0, microsecond=0, tzinfo=UTC)
    expected = _walk(ZoneInfo(zone), minute, hour, after)
    assert next_tick_ms(expression, int(after.timestamp() * 1000)) == int(expected.timestamp() * 1000)


def _walk(zone: ZoneInfo, minute: str, hour: str, after: datetime) -> datetime:
    moment = after
    while True:
        moment += timedelta(minutes=1)
        local = moment.astimezone(zone)
        is_due = local.minute in _numbers(minute, 60) and local.hour in _numbers(hour, 24)
        if is_due and (local.fold == 0 or "*" in hour):
            return moment


def _numbers(field: str, size: int) -> set[int]:
    if field.startswith("*"):
        return set(range(0, size, int(field[2:] or 1)))
    if "-" in field:
        first, last = map(int, field.split("-"))
        return set(range(first, last + 1))
    return set(map(int, field.split(",")))


@settings(deadline=None)
@given(st.one_of(st.text(), st.text(alphabet="0123456789*/,-? JANMONTZ=", max_size=30)))
def test_any_text_is_valid_or_not(text: str) -> None:
    if validate(text) is None:
        assert next_tick_ms(text, 0) is None or next_tick_ms(text, 0) > 0  # type: ignore[operator]


def test_jitter_is_deterministic_and_in_range() -> None:
    delays = [jitter_ms(f"job-{number}", 300_000) for number in range(500)]
    assert delays == [jitter_ms(f"job-{number}", 300_000) for number in range(500)]
    assert all(1_000 <= delay < 300_000 for delay in delays)
    assert len(set(delays)) > 450
    assert jitter_ms("job", 0) == 0
    assert jitter_ms("job", 1_000) == 1_000
