"""Duration texts such as `1h30m` and `1.5h` (spec 01, 1.3)."""

import re

_UNIT_NS = {
    "w": 604_800_000_000_000,
    "d": 86_400_000_000_000,
    "h": 3_600_000_000_000,
    "m": 60_000_000_000,
    "s": 1_000_000_000,
    "ms": 1_000_000,
    "us": 1_000,
    "µs": 1_000,  # U+00B5
    "μs": 1_000,  # U+03BC
    "ns": 1,
}
_NS_PER_MS = 1_000_000
_SHOWN_UNITS_MS = tuple((unit, _UNIT_NS[unit] // _NS_PER_MS) for unit in ("w", "d", "h", "m", "s", "ms"))

_PAIR = r"(?:([0-9]+)(?:\.([0-9]*))?|\.([0-9]+))(ms|us|µs|μs|ns|w|d|h|m|s)"
_PAIRS = re.compile(_PAIR)
_WHOLE = re.compile(f"(?:{_PAIR})+")

MAX_TEXT_LENGTH = 100
MAX_MS = 2**53 - 1  # what every JSON reader and Lua represent exactly


class DurationError(ValueError):
    """The text is not a duration; the message names it."""

    def __init__(self, text: str) -> None:
        super().__init__(f"invalid duration: {text[:MAX_TEXT_LENGTH]!r}")


def parse_duration_ms(text: str) -> int:
    """Milliseconds of a duration, rounded up so that nothing ends early. Raises DurationError."""
    if len(text) > MAX_TEXT_LENGTH or not _WHOLE.fullmatch(text):
        raise DurationError(text)
    total_ns = sum(_pair_ns(*pair) for pair in _PAIRS.findall(text))
    milliseconds = -(-total_ns // _NS_PER_MS)
    if milliseconds > MAX_MS:
        raise DurationError(text)
    return milliseconds


def _pair_ns(whole: str, fraction: str, bare_fraction: str, unit: str) -> int:
    decimals = fraction or bare_fraction
    scaled = int(f"0{whole}{decimals}") * _UNIT_NS[unit]
    divisor: int = 10 ** len(decimals)
    return -(-scaled // divisor)


def format_duration(milliseconds: int) -> str:
    """The shortest text of whole units that parses back to the same value; `0s` for zero."""
    parts = []
    rest = milliseconds
    for unit, size in _SHOWN_UNITS_MS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
