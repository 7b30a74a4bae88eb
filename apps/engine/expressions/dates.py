"""Timestamps as text and as numbers: what `date()` and `timestamp()` read (spec 02, 2.5).

Times have microseconds; finer digits are cut. All results are in UTC.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache, partial
from typing import Final
from zoneinfo import ZoneInfo

from apps.engine.expressions.errors import EvaluationError

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_TEXT = 64

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH = f"(?P<month>{'|'.join(_MONTHS)})"
_WEEKDAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*"
_TIME = r"(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d{1,9}))?)?"
_ZONE = r"(?P<zone>[A-Z]{1,5}|[+-]\d{4})"

_DATE_AND_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?"
_OFFSET = r"(?:Z|[+-]\d\d:\d\d)"
_RFC3339: Final = re.compile(_DATE_AND_TIME + _OFFSET, re.ASCII)
_ISO: Final = re.compile(rf"\d{{4}}-\d\d-\d\d|{_DATE_AND_TIME}{_OFFSET}?", re.ASCII)
_WORDED: Final = (
    # RFC 1123, RFC 822 and RFC 850, each with a named or a numeric zone
    re.compile(
        rf"(?:{_WEEKDAY}, )?(?P<day>\d\d?)[ -]{_MONTH}[ -](?P<year>\d{{4}}|\d\d) {_TIME} {_ZONE}", re.ASCII
    ),
    # Unix date, Ruby date and asctime
    re.compile(rf"{_WEEKDAY} {_MONTH} +(?P<day>\d\d?) {_TIME}(?: {_ZONE})? (?P<year>\d{{4}})", re.ASCII),
    # Stamp
    re.compile(rf"{_MONTH} +(?P<day>\d\d?) {_TIME}", re.ASCII),
)

# A "Stamp" names no year; the reference puts it in year 0. This is the first leap year Python has.
_YEAR_OF_STAMPS = 4
_FIRST_YEAR_OF_1900S = 69

_FIRST_SECOND = 946_684_800
_SECONDS_BELOW = 9_999_999_999
_MILLISECONDS_BELOW = 9_999_999_999_999

_ZONE_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+/-]{0,63}", re.ASCII)
_FIXED_ZONE: Final = re.compile(r"([+-]?)(\d\d):(\d\d)", re.ASCII)


def in_range(compute: Callable[[], datetime]) -> datetime:
    """The computed timestamp; raises EvaluationError when the calendar does not have it."""
    try:
        return compute()
    except (OverflowError, ValueError):
        raise EvaluationError("the timestamp is invalid or out of range") from None


def timestamp_of_seconds(seconds: float) -> datetime:
    return in_range(lambda: _EPOCH + timedelta(seconds=seconds))


def timestamp_of_milliseconds(milliseconds: int) -> datetime:
    return in_range(lambda: _EPOCH + timedelta(milliseconds=milliseconds))


def seconds_of_timestamp(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(seconds=1)


def parse_rfc3339(text: str) -> datetime:
    """The timestamp of an RFC 3339 text; raises EvaluationError."""
    if len(text) > _LONGEST_TEXT or _RFC3339.fullmatch(text) is None:
        raise EvaluationError("invalid timestamp")
    return in_range(lambda: datetime.fromisoformat(text).astimezone(UTC))


def parse_date(text: str) -> datetime:
    """The timestamp of a text in any form that `date()` takes, UTC without a zone; raises EvaluationError."""
    if len(text) > _LONGEST_TEXT:
        raise EvaluationError("invalid date")
    if _ISO.fullmatch(text):
        return in_range(lambda: _in_utc(datetime.fromisoformat(text)))
    for form in _WORDED:
        if found := form.fullmatch(text):
            return in_range(partial(_worded_date, found.groupdict()))
    raise EvaluationError("invalid date")


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _worded_date(parts: dict[str, str | None]) -> datetime:
    fraction = (parts["fraction"] or "").ljust(6, "0")[:6]
    return datetime(
        _full_year(parts.get("year")),
        _MONTHS.index(parts["month"] or "") + 1,
        int(parts["day"] or 0),
        int(parts["hour"] or 0),
        int(parts["minute"] or 0),
        int(parts["second"] or 0),
        int(fraction),
        tzinfo=_offset(parts.get("zone")),
    ).astimezone(UTC)


def _full_year(digits: str | None) -> int:
    if digits is None:
        return _YEAR_OF_STAMPS
    year = int(digits)
    if len(digits) == 2:
        return year + (1900 if year >= _FIRST_YEAR_OF_1900S else 2000)
    return year


def _offset(zone: str | None) -> timezone:
    """A numeric offset; named zones count as UTC, since abbreviations are ambiguous."""
    if zone is None or zone[0] not in "+-":
        return UTC
    minutes = int(zone[1:3]) * 60 + int(zone[3:5])
    return timezone(timedelta(minutes=-minutes if zone[0] == "-" else minutes))


def date_of_number(number: float) -> datetime:
    """Seconds, milliseconds or nanoseconds since the epoch, told apart by size; raises EvaluationError."""
    if not number >= _FIRST_SECOND or number == float("inf"):
        raise EvaluationError("invalid date: the number is too small to be a time")
    if number < _SECONDS_BELOW:
        return timestamp_of_seconds(number)
    if number < _MILLISECONDS_BELOW:
        return in_range(lambda: _EPOCH + timedelta(milliseconds=number))
    return in_range(lambda: _EPOCH + timedelta(microseconds=int(number) // 1000))


def format_timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC, with as many decimals as needed."""
    text = moment.astimezone(UTC).isoformat().removesuffix("+00:00")
    return (text.rstrip("0") if moment.microsecond else text) + "Z"


@lru_cache(64)
def time_zone(name: str) -> tzinfo:
    """The zone of an IANA name or of `+02:00`; raises EvaluationError."""
    if fixed := _FIXED_ZONE.fullmatch(name):
        minutes = int(fixed[2]) * 60 + int(fixed[3])
        if minutes < 24 * 60:
            return timezone(timedelta(minutes=-minutes if fixed[1] == "-" else minutes))
    if _ZONE_NAME.fullmatch(name) is None:
        raise EvaluationError("unknown time zone")
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise EvaluationError("unknown time zone") from None
