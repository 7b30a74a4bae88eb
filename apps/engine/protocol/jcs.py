"""Canonical JSON (RFC 8785): the form that is signed and sent to SDKs (spec 01, 1.4)."""

import re
from collections.abc import Iterator
from typing import TypeAlias

import orjson

from apps.engine.protocol.raw_json import without_lone_surrogates

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

# What orjson's sorted output may have in common with no canonical form: numbers that ECMAScript prints
# in another way, and keys beyond the basic plane, which UTF-16 sorts before U+E000 and above. Inside of
# strings it may match without need; that only costs the slow path.
_MAYBE_NOT_CANONICAL = re.compile(rb"(?:\A|[:,\[])-?[0-9]+(?:[0-9]{15}|\.0[,\]}]|\.0\Z|(?:\.[0-9]+)?e)|[\xf0-\xf4]|-0")

_DIGITS_OF_PLAIN_NUMBERS = 21


class CanonicalError(ValueError):
    """The bytes are not JSON, hold a number beyond a double's range, or nest too deeply."""


def canonicalise(raw: bytes) -> bytes:
    """The canonical form of a JSON text. Raises CanonicalError.

    Escapes of lone surrogates become U+FFFD; integers beyond 2^53 lose precision, as RFC 8785 wants.
    """
    value = _loads(raw)
    try:
        text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:  # nested deeper than orjson writes
        return _encode(value)
    return _encode(value) if _MAYBE_NOT_CANONICAL.search(text) else text


def number_text(number: int | float) -> str:
    """The number as ECMAScript prints it as a double; it has to be finite."""
    double = float(number)
    if double == 0:
        return "0"
    sign = "-" if double < 0 else ""
    digits, exponent = _shortest_digits(abs(double))
    return sign + _layout(digits, exponent)


def _loads(raw: bytes) -> Json:
    try:
        value: Json = orjson.loads(raw)
    except orjson.JSONDecodeError as exc:
        repaired = without_lone_surrogates(raw)
        if repaired == raw:
            raise CanonicalError(str(exc)) from None
        return _loads(repaired)
    return value


def _shortest_digits(double: float) -> tuple[str, int]:
    """Significant digits without zeros at either end, and n with value = 0.digits * 10^n."""
    mantissa, _, exponent = repr(double).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    leading_zeros = len(whole + fraction) - len(digits)
    return digits.rstrip("0"), len(whole) - leading_zeros + int(exponent or 0)


def _layout(digits: str, n: int) -> str:
    """ECMA-262, Number::toString."""
    count = len(digits)
    if count <= n <= _DIGITS_OF_PLAIN_NUMBERS:
        return digits.ljust(n, "0")
    if 0 < n <= _DIGITS_OF_PLAIN_NUMBERS:
        return f"{digits[:n]}.{digits[n:]}"
    if -6 < n <= 0:
        return f"0.{'0' * -n}{digits}"
    mantissa = f"{digits[0]}.{digits[1:]}" if count > 1 else digits
    return f"{mantissa}e{n - 1:+d}"


def _encode(value: Json) -> bytes:
    """Any value in canonical form, with a stack of its own: input may nest deeper than Python calls."""
    out: list[bytes] = []
    open_containers: list[tuple[Iterator[tuple[bytes, Json]], bytes]] = []
    _begin(value, b"", out, open_containers)
    while open_containers:
        members, closing = open_containers[-1]
        member = next(members, None)
        if member is None:
            out.append(closing)
            open_containers.pop()
        else:
            _begin(member[1], member[0], out, open_containers)
    return b"".join(out)


def _begin(
    value: Json, prefix: bytes, out: list[bytes], open_containers: list[tuple[Iterator[tuple[bytes, Json]], bytes]]
) -> None:
    out.append(prefix)
    if isinstance(value, dict):
        out.append(b"{")
        open_containers.append((_object_members(value), b"}"))
    elif isinstance(value, list):
        out.append(b"[")
        open_containers.append((_array_members(value), b"]"))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        out.append(number_text(value).encode())
    else:
        out.append(orjson.dumps(value))


def _object_members(value: dict[str, Json]) -> Iterator[tuple[bytes, Json]]:
    separator = b""
    for key in sorted(value, key=_utf16):
        yield separator + orjson.dumps(key) + b":", value[key]
        separator = b","


def _array_members(value: list[Json]) -> Iterator[tuple[bytes, Json]]:
    separator = b""
    for item in value:
        yield separator, item
        separator = b","


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be")
