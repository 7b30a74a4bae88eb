"""Canonical JSON (RFC 8785): the form that is signed and sent to SDKs (spec 01, 1.4)."""

import re
from collections.abc import Iterator
from typing import Any, TypeAlias

import orjson

from apps.engine.protocol.raw_json import without_lone_surrogates

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | orjson.Fragment | None"
_Open: TypeAlias = "list[tuple[Iterator[tuple[bytes, Json]], bytes]]"

_MAX_SAFE_INTEGER = 2**53 - 1
_DIGITS_OF_PLAIN_NUMBERS = 21

# OPT_STRICT_INTEGER makes orjson refuse integers that a double cannot hold.
_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER

# What orjson's numbers look like where ECMAScript prints them in another way. Found inside of a string
# they cost a look at the values, nothing else.
_WHOLE_FLOATS = (b".0,", b".0}", b".0]")
_EXPONENT = re.compile(rb"e[+-][0-9]")
_MANTISSA = re.compile(rb"[:,\[]-?[0-9]+(?:\.[0-9]+)?\Z")
_MAX_MANTISSA = 24


class CanonicalError(ValueError):
    """The bytes are not JSON, hold a number beyond a double's range, or nest too deeply."""


def canonicalise(raw: bytes) -> bytes:
    """The canonical form of a JSON text. Raises CanonicalError.

    Escapes of lone surrogates become U+FFFD; integers beyond 2^53 lose precision, as RFC 8785 wants.
    """
    value = _loads(raw)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number_text(value).encode()
    text = _dumps(value)
    if text is not None and not _may_differ(text):
        return text
    return _canonicalise_by_value(value)


def _dumps(value: Json) -> bytes | None:
    """None where orjson cannot write the value: big integers, or nested deeper than it goes."""
    try:
        return orjson.dumps(value, option=_OPTIONS)
    except orjson.JSONEncodeError:
        return None


def _may_differ(text: bytes) -> bool:
    if any(ending in text for ending in _WHOLE_FLOATS) or _has_exponent(text):
        return True
    return not text.isascii() and _is_beyond_basic_plane(text.decode())


def _is_beyond_basic_plane(text: str) -> bool:
    return len(text.encode("utf-16-le")) != 2 * len(text)


def _has_exponent(text: bytes) -> bool:
    if b"e-" not in text and b"e+" not in text:
        return False
    for match in _EXPONENT.finditer(text):
        end = match.start()
        if _MANTISSA.search(text, max(0, end - _MAX_MANTISSA), end):
            return True
    return False


def _canonicalise_by_value(value: Json) -> bytes:
    """Replace the numbers that orjson would print in another way, and let it write the rest."""
    keys_sort_alike = True
    stack: list[Json] = [value]
    while stack:
        container = stack.pop()
        if isinstance(container, dict):
            keys_sort_alike = keys_sort_alike and all(map(_sorts_alike, container))
            _replace_numbers(container, list(container.items()), stack)
        elif isinstance(container, list):
            _replace_numbers(container, list(enumerate(container)), stack)
    text = _dumps(value) if keys_sort_alike else None
    return _encode(value) if text is None else text


def _sorts_alike(key: str) -> bool:
    """UTF-16 sorts characters beyond the basic plane below U+E000; UTF-8, and orjson, above."""
    return key.isascii() or max(key) < "\U00010000"


def _replace_numbers(container: Any, members: list[tuple[Any, Json]], stack: list[Json]) -> None:
    for position, member in members:
        if isinstance(member, dict | list):
            stack.append(member)
        elif isinstance(member, float):
            container[position] = int(member) if _is_safe_integer(member) else _number(member)
        elif isinstance(member, int) and abs(member) > _MAX_SAFE_INTEGER:
            container[position] = _number(member)


def _is_safe_integer(number: float) -> bool:
    return number.is_integer() and abs(number) <= _MAX_SAFE_INTEGER


def _number(number: float) -> orjson.Fragment:
    return orjson.Fragment(number_text(number))


def number_text(number: float) -> str:
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
    """The text of a value whose numbers are replaced, also where it nests deeper than Python calls may."""
    out: list[bytes] = []
    open_containers: _Open = []
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


def _begin(value: Json, prefix: bytes, out: list[bytes], open_containers: _Open) -> None:
    out.append(prefix)
    if isinstance(value, dict):
        out.append(b"{")
        open_containers.append((_object_members(value), b"}"))
    elif isinstance(value, list):
        out.append(b"[")
        open_containers.append((_array_members(value), b"]"))
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
