"""Durations as text: `90s`, `1h30m`, `1.5h`, `2d`."""

import re
from datetime import timedelta
from typing import Final

from apps.engine.expressions.errors import EvaluationError

_LONGEST_TEXT = 64
_PART: Final = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h|d|w)", re.ASCII)
_DURATION: Final = re.compile(rf"([+-]?)((?:{_PART.pattern})+)", re.ASCII)
_MICROSECONDS: Final = {
    "ns": 0.001,
    "us": 1.0,
    "µs": 1.0,
    "μs": 1.0,
    "ms": 1e3,
    "s": 1e6,
    "m": 6e7,
    "h": 3.6e9,
    "d": 8.64e10,
    "w": 6.048e11,
}


def parse_duration(text: str) -> timedelta:
    """The duration of texts such as `5m`; raises EvaluationError for any other text."""
    found = _DURATION.fullmatch(text) if len(text) <= _LONGEST_TEXT else None
    if text != "0" and found is None:
        raise EvaluationError("invalid duration")
    parts = _PART.findall(text)
    microseconds = sum(float(amount) * _MICROSECONDS[unit] for amount, unit in parts)
    try:
        duration = timedelta(microseconds=microseconds)
    except OverflowError:
        raise EvaluationError("the duration is out of range") from None
    return -duration if text.startswith("-") else duration


def format_duration(duration: timedelta) -> str:
    """Seconds with up to six decimals: `300s`, `0.25s`."""
    total = duration // timedelta(microseconds=1)
    whole, micros = divmod(abs(total), 1_000_000)
    fraction = f".{micros:06d}".rstrip("0") if micros else ""
    return f"{'-' if total < 0 else ''}{whole}{fraction}s"
