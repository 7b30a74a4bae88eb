"""Cron schedules: five fields with an optional time zone (spec 02, chapter 8)."""

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from croniter import CroniterBadDateError, croniter

MAX_LENGTH = 255
HORIZON_YEARS = 5
MIN_JITTER_MS = 1000

_PREFIX = re.compile(r"(?:CRON_)?TZ=(\S*)\s+")
_ZONE_NAME = re.compile(r"[A-Za-z0-9_+/-]+")
_TERM = re.compile(
    r"(?P<first>\*|\?|[a-z]{3}|\d{1,2})(?:-(?P<last>[a-z]{3}|\d{1,2}))?(?:/(?P<step>\d{1,3}))?",
    re.ASCII,
)

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")

# No zone was ever set back by more; a tick that a set-back repeats lies within this of it.
_SHIFT = timedelta(hours=3)


class _Field(NamedTuple):
    lowest: int
    highest: int
    names: dict[str, int]


_FIELDS = (
    _Field(0, 59, {}),
    _Field(0, 23, {}),
    _Field(1, 31, {}),
    _Field(1, 12, {name: number for number, name in enumerate(_MONTHS, start=1)}),
    _Field(0, 6, {name: number for number, name in enumerate(_DAYS)}),
)


class _Schedule(NamedTuple):
    """`fields` in a form that croniter reads in one way only; `repeats`: fires in every real hour."""

    fields: str
    zone: ZoneInfo
    repeats: bool


class _InvalidCron(ValueError):
    pass


def validate(expression: str) -> str | None:
    """What is wrong with a schedule, or None; one that never fires is valid."""
    if len(expression) > MAX_LENGTH:
        return f"cron is too long. maximum length is {MAX_LENGTH} characters"
    try:
        _parse(expression)
    except _InvalidCron:
        return f"'{expression}' isn't a valid cron schedule"
    return None


def next_tick_ms(expression: str, after_ms: int) -> int | None:
    """The first tick after a moment, both in ms since the epoch; None where there is none in 5 years.

    A local time that does not exist does not fire. One that the clock passes twice fires the first
    time only, unless the hours are `*` or steps: these fire in every real hour. Raises ValueError for
    an expression that `validate` refuses.
    """
    schedule = _parse(expression)
    after = datetime.fromtimestamp(after_ms / 1000, UTC)
    try:
        tick = _next(schedule, after)
    except CroniterBadDateError:
        return None
    if tick is None or tick.year > after.year + HORIZON_YEARS:
        return None
    return int(tick.timestamp()) * 1000


def jitter_ms(job_key: str, max_ms: int) -> int:
    """The delay of a tick in [1 s, max), the same on every server; 0 where no jitter is configured."""
    span = max_ms - MIN_JITTER_MS
    if max_ms <= 0:
        return 0
    if span <= 0:
        return max_ms
    digest = hashlib.sha256(job_key.encode()).digest()
    return MIN_JITTER_MS + int.from_bytes(digest[:8], "big") % span


@lru_cache(maxsize=4096)
def _parse(expression: str) -> _Schedule:
    rest, zone = expression, ZoneInfo("UTC")
    if prefix := _PREFIX.match(expression):
        rest, zone = expression[prefix.end() :], _zone(prefix[1])
    texts = rest.lower().split()
    if len(texts) != len(_FIELDS):
        raise _InvalidCron("a schedule has five fields")
    fields = " ".join(_field(text, field) for text, field in zip(texts, _FIELDS, strict=True))
    return _Schedule(fields, zone, repeats=any(sign in texts[1] for sign in "*?/"))


def _zone(name: str) -> ZoneInfo:
    if not _ZONE_NAME.fullmatch(name):
        raise _InvalidCron("no zone")
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise _InvalidCron("unknown zone") from None


def _field(text: str, field: _Field) -> str:
    """The numbers of a field; `*` where it is unrestricted, which matters between the two day fields."""
    if text in ("*", "?"):
        return "*"
    numbers = {number for term in text.split(",") for number in _term(term, field)}
    return ",".join(map(str, sorted(numbers)))


def _term(term: str, field: _Field) -> range:
    match = _TERM.fullmatch(term)
    if not match:
        raise _InvalidCron(f"no such term: {term!r}")
    first, last = _bounds(match["first"], match["last"], match["step"], field)
    step = int(match["step"] or 1)
    if step == 0 or not field.lowest <= first <= last <= field.highest:
        raise _InvalidCron(f"no such term: {term!r}")
    return range(first, last + 1, step)


def _bounds(first: str, last: str | None, step: str | None, field: _Field) -> tuple[int, int]:
    if first in "*?":
        if last is not None:
            raise _InvalidCron("a star has no end")
        return field.lowest, field.highest
    begin = _number(first, field)
    if last is not None:
        return begin, _number(last, field)
    return begin, field.highest if step else begin


def _number(text: str, field: _Field) -> int:
    number = int(text) if text.isdigit() else field.names.get(text)
    if number is None:
        raise _InvalidCron(f"no such value: {text!r}")
    return number


def _next(schedule: _Schedule, after: datetime) -> datetime | None:
    """Ticks are found on the zone's wall clock, taken as UTC so that croniter shifts nothing itself."""
    if schedule.repeats and len(offsets := _offsets_near(schedule.zone, after)) > 1:
        return _next_near_shift(schedule, after, offsets)
    for wall in _walls(schedule, _wall(schedule.zone, after)):
        tick = _real(wall, schedule.zone)
        if tick is not None and tick > after:
            return tick
    return None


def _next_near_shift(schedule: _Schedule, after: datetime, offsets: set[timedelta]) -> datetime | None:
    """The earliest tick where one reading of the clock may mean two moments.

    A reading means a moment between itself minus the greatest and itself minus the least offset.
    """
    earliest: datetime | None = None
    for wall in _walls(schedule, after + min(offsets)):
        if earliest is not None and wall - max(offsets) >= earliest:
            return earliest
        for tick in (_real(wall, schedule.zone, 0), _real(wall, schedule.zone, 1)):
            if tick is not None and tick > after:
                earliest = min(tick, earliest or tick)
    return None


def _offsets_near(zone: ZoneInfo, moment: datetime) -> set[timedelta]:
    edges = (moment - _SHIFT, moment + _SHIFT)
    return {offset for edge in edges if (offset := edge.astimezone(zone).utcoffset()) is not None}


def _walls(schedule: _Schedule, wall: datetime) -> Iterator[datetime]:
    """The readings after `wall` at which the schedule fires; CroniterBadDateError after the last."""
    search = croniter(schedule.fields, wall, max_years_between_matches=HORIZON_YEARS)
    found = wall
    while found.year <= wall.year + HORIZON_YEARS:
        found = search.get_next(datetime)
        yield found


def _wall(zone: ZoneInfo, moment: datetime) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=UTC, fold=0)


def _real(wall: datetime, zone: ZoneInfo, fold: int = 0) -> datetime | None:
    """The moment at which the zone's clock shows `wall`; None for a time that it skips."""
    moment = wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)
    return moment if _wall(zone, moment) == wall else None
