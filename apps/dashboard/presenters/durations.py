"""Durations and distances in time as words. `static/js/clock.js` says the same in the browser."""

from typing import Final

_UNITS: Final = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000))


def duration_text(ms: int) -> str:
    """`412 ms`, `3.20 s`, `41.5 s`, `1 m 4 s`, `2 h 5 m`, `3 d 4 h`."""
    if ms < 1_000:
        return f"{ms} ms"
    if ms < 10_000:
        return f"{ms // 10 / 100:.2f} s"
    if ms < 60_000:
        return f"{ms // 100 / 10:.1f} s"
    return _two_units(ms)


def _two_units(ms: int) -> str:
    first = next(index for index, (_, size) in enumerate(_UNITS) if ms >= size)
    (unit, size), (small_unit, small_size) = _UNITS[first : first + 2]
    rest = ms % size // small_size
    return f"{ms // size} {unit}" + (f" {rest} {small_unit}" if rest else "")


def period_text(ms: int) -> str:
    """A configured length of time: `30 s` where a measured one would be `30.0 s`."""
    return f"{ms // 1_000} s" if ms % 1_000 == 0 and ms < 60_000 else duration_text(ms)


def relative_text(age_ms: int) -> str:
    """`just now`, `5 m ago`, or `in 2 h` for a time that is still to come."""
    away = abs(age_ms)
    if away < 1_000:
        return "just now"
    unit, size = next((unit, size) for unit, size in _UNITS if away >= size)
    amount = f"{away // size} {unit}"
    return f"in {amount}" if age_ms < 0 else f"{amount} ago"
