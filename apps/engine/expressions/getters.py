"""The parts of timestamps and durations: `getFullYear()`, `getHours("Europe/Berlin")`, ..."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from apps.engine.expressions.dates import in_range, time_zone
from apps.engine.expressions.errors import no_overload
from apps.engine.expressions.scope import Meter
from apps.engine.expressions.values import Int, Value, kind_of

# Months, days of the week (from Sunday), of the month and of the year count from 0; getDate counts from 1.
_OF_TIMESTAMPS: Final[dict[str, Callable[[datetime], int]]] = {
    "getFullYear": lambda moment: moment.year,
    "getMonth": lambda moment: moment.month - 1,
    "getDate": lambda moment: moment.day,
    "getDayOfMonth": lambda moment: moment.day - 1,
    "getDayOfWeek": lambda moment: moment.isoweekday() % 7,
    "getDayOfYear": lambda moment: moment.timetuple().tm_yday - 1,
    "getHours": lambda moment: moment.hour,
    "getMinutes": lambda moment: moment.minute,
    "getSeconds": lambda moment: moment.second,
    "getMilliseconds": lambda moment: moment.microsecond // 1000,
}

NAMES: Final = tuple(_OF_TIMESTAMPS)

# Of a duration these are totals, except the milliseconds, which are those of its last second.
OF_DURATIONS: Final[dict[str, Callable[[int], int]]] = {
    "getHours": lambda milliseconds: milliseconds // 3_600_000,
    "getMinutes": lambda milliseconds: milliseconds // 60_000,
    "getSeconds": lambda milliseconds: milliseconds // 1000,
    "getMilliseconds": lambda milliseconds: milliseconds % 1000,
}


def read_part(name: str, meter: Meter, value: Value, zone: Value = None) -> Value:
    """The named part of a timestamp, in UTC or in the zone, or of a duration; raises EvaluationError."""
    if isinstance(value, datetime) and (zone is None or isinstance(zone, str)):
        local = value if zone is None else _in_zone(value, zone)
        return Int(_OF_TIMESTAMPS[name](local))
    if isinstance(value, timedelta) and zone is None and name in OF_DURATIONS:
        milliseconds = abs(value) // timedelta(milliseconds=1)
        part = OF_DURATIONS[name](milliseconds)
        return Int(-part if value < timedelta(0) else part)
    raise no_overload(name, kind_of(value), *([] if zone is None else [kind_of(zone)]))


def _in_zone(moment: datetime, zone: str) -> datetime:
    found = time_zone(zone)
    return in_range(lambda: moment.astimezone(found))
