"""Dates as SDKs and HTTP write them, to and from milliseconds since the epoch (spec 01, 1.3)."""

import re
from datetime import UTC, datetime, timedelta, timezone

from apps.engine.protocol.durations import parse_duration_ms

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
MIN_DATE_LENGTH = 10
_MAX_DATE_LENGTH = 80

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
# RFC 822 names its zones; hours east of UTC.
_ZONE_HOURS = {"": 0, "z": 0, "utc": 0, "gmt": 0, "ut": 0}
_ZONE_HOURS |= {"est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7}

_CLOCK = r"(?P<hour>\d{2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
_OFFSET = r"(?P<sign>[+-])(?P<zone_hours>\d{2}):?(?P<zone_minutes>\d{2})"
_ZONE = rf"(?:(?:GMT|UTC)?{_OFFSET}|(?P<zone>[A-Za-z]{{1,3}}))"
_FLAGS = re.ASCII | re.IGNORECASE
_ISO = re.compile(
    rf"(?P<year>\d{{4}})-(?P<month>\d{{2}})-(?P<day>\d{{2}})(?:(?:T| +){_CLOCK}(?: *{_ZONE})?)?", _FLAGS
)
# RFC 822, 850 and 1123: "Mon, 23 Nov 2026 12:50:30 GMT", "Monday, 23-Nov-26 12:50:30 GMT".
_MAIL = re.compile(
    rf"(?:[a-z]{{3,9}},? +)?(?P<day>\d{{1,2}})[ -](?P<month>[a-z]{{3}})[ -](?P<year>\d{{4}}|\d{{2}})"
    rf" +{_CLOCK}(?: +{_ZONE})?",
    _FLAGS,
)
# ANSI C, Unix and Ruby: "Mon Nov 23 12:50:30 2026", with an optional zone before the year.
_UNIX = re.compile(
    rf"[a-z]{{3}} +(?P<month>[a-z]{{3}}) +(?P<day>\d{{1,2}}) +{_CLOCK}(?: +{_ZONE})? +(?P<year>\d{{4}})",
    _FLAGS,
)
_FORMS = (_ISO, _MAIL, _UNIX)


def parse_date_ms(text: str) -> int | None:
    """Milliseconds since the epoch of a date, UTC where it names no zone; None if it is not a date.

    Accepts RFC 3339 and ISO dates, RFC 822, 850 and 1123, ANSI C and Unix dates. Digits beyond the
    millisecond are dropped.
    """
    text = text.strip()
    if not MIN_DATE_LENGTH <= len(text) <= _MAX_DATE_LENGTH:
        return None
    for form in _FORMS:
        if match := form.fullmatch(text):
            return _milliseconds(match.groupdict())
    return None


def parse_due_ms(text: str, now_ms: int) -> int:
    """The moment that a date or a duration from now means, in ms. Raises DurationError."""
    if len(text) >= MIN_DATE_LENGTH and (absolute := parse_date_ms(text)) is not None:
        return absolute
    return now_ms + parse_duration_ms(text)


def rfc3339(milliseconds: int) -> str:
    """The moment in UTC with `Z`, fraction only where there is one; ValueError outside years 1 to 9999."""
    try:
        moment = _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError as exc:
        raise ValueError(f"no date for {milliseconds} ms") from exc
    text = moment.replace(tzinfo=None).isoformat(timespec="milliseconds")
    return f"{text.rstrip('0').removesuffix('.')}Z"


def _milliseconds(parts: dict[str, str | None]) -> int | None:
    month = parts["month"] or ""
    zone = _zone(parts)
    if zone is None:
        return None
    try:
        moment = datetime(
            _year(parts["year"] or ""),
            int(month) if month.isdigit() else _MONTHS.get(month.lower(), 0),
            int(parts["day"] or 0),
            int(parts["hour"] or 0),
            int(parts["minute"] or 0),
            int(parts["second"] or 0),
            int((parts["fraction"] or "0").ljust(6, "0")[:6]),
            zone,
        )
    except ValueError:
        return None
    return (moment - _EPOCH) // _MILLISECOND


def _year(text: str) -> int:
    """Two digits mean 1969 to 2068, as in POSIX."""
    year = int(text)
    if len(text) == 4:
        return year
    return year + (1900 if year >= 69 else 2000)


def _zone(parts: dict[str, str | None]) -> timezone | None:
    if parts["sign"] is None:
        hours = _ZONE_HOURS.get((parts["zone"] or "").lower())
        return None if hours is None else timezone(timedelta(hours=hours))
    offset = timedelta(hours=int(parts["zone_hours"] or 0), minutes=int(parts["zone_minutes"] or 0))
    if offset >= timedelta(hours=24):
        return None
    return timezone(-offset if parts["sign"] == "-" else offset)
