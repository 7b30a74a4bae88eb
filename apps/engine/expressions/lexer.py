"""Text to tokens: names, operators, and literals with their values."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from apps.engine.expressions.errors import ExpressionError
from apps.engine.expressions.values import Value


class Token(NamedTuple):
    """`kind` is int, uint, double, string, bytes, word, operator or end; `value` that of a literal."""

    kind: str
    text: str
    position: int
    value: Value = None


_TOKEN: Final = re.compile(
    r"""
      (?P<space>\s+|//[^\n]*)
    | (?P<quote>(?:[rR][bB]?|[bB][rR]?)?(?:\"\"\"|'''|\"|'))
    | (?P<double>\d*\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)
    | (?P<uint>(?:0x[0-9a-fA-F]+|\d+)[uU])
    | (?P<int>0x[0-9a-fA-F]+|\d+)
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<operator>&&|\|\||==|!=|<=|>=|[-+*/%!<>?:.,()\[\]{}])
    """,
    re.VERBOSE | re.ASCII,
)

_ESCAPE: Final = re.compile(
    r"""\\(?:(?P<simple>[abfnrtv\\?"'`])|[xX](?P<hex>[0-9a-fA-F]{2})|(?P<octal>[0-3][0-7]{2})"""
    r"""|u(?P<short>[0-9a-fA-F]{4})|U(?P<long>[0-9a-fA-F]{8}))""",
    re.ASCII,
)
_SIMPLE_ESCAPES: Final = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
}
_MOST_DIGITS = 100


def tokens(source: str) -> Iterator[Token]:
    """The tokens of `source`, ending with one of kind `end`; raises ExpressionError."""
    position = 0
    while position < len(source):
        found = _TOKEN.match(source, position)
        if found is None:
            raise ExpressionError(f"Syntax error: unexpected character '{source[position]}'", position)
        if found.lastgroup == "quote":
            token, position = _string_token(source, position, found.group())
            yield token
            continue
        if found.lastgroup != "space":
            yield _plain_token(found)
        position = found.end()
    yield Token("end", "end of expression", len(source))


def _plain_token(found: re.Match[str]) -> Token:
    kind, text, position = str(found.lastgroup), found.group(), found.start()
    if len(text) > _MOST_DIGITS and kind in ("int", "uint", "double"):
        raise ExpressionError("Syntax error: the number is too long", position)
    if kind == "double":
        return Token(kind, text, position, float(text))
    if kind in ("int", "uint"):
        digits = text.rstrip("uU")
        return Token(kind, text, position, int(digits, 16 if digits.startswith("0x") else 10))
    return Token(kind, text, position)


def _string_token(source: str, start: int, opening: str) -> tuple[Token, int]:
    """The string or bytes literal that begins at `start`, and the offset behind it."""
    quote = opening.lstrip("rRbB")
    prefix = opening.removesuffix(quote).lower()
    body_start = start + len(opening)
    body_end = _end_of_string(source, body_start, quote, start, is_raw="r" in prefix)
    body = source[body_start:body_end]
    end = body_end + len(quote)
    if "b" in prefix:
        content = body.encode("utf-8", "replace") if "r" in prefix else _unescaped_bytes(body, body_start)
        return Token("bytes", source[start:end], start, content), end
    text = body if "r" in prefix else _unescaped(body, body_start)
    return Token("string", source[start:end], start, text), end


def _end_of_string(source: str, position: int, quote: str, start: int, *, is_raw: bool) -> int:
    while position < len(source):
        if source.startswith(quote, position):
            return position
        if source[position] == "\n" and len(quote) == 1:
            break
        position += 2 if source[position] == "\\" and not is_raw else 1
    raise ExpressionError("Syntax error: unterminated string", start)


def _unescaped(body: str, offset: int) -> str:
    return "".join(_character(part) for part in _pieces(body, offset))


def _unescaped_bytes(body: str, offset: int) -> bytes:
    return b"".join(_bytes(part) for part in _pieces(body, offset))


def _pieces(body: str, offset: int) -> Iterator[str | re.Match[str]]:
    """Stretches of plain text and escapes, in order."""
    position = 0
    while position < len(body):
        backslash = body.find("\\", position)
        if backslash == -1:
            yield body[position:]
            return
        if backslash > position:
            yield body[position:backslash]
        escape = _ESCAPE.match(body, backslash)
        if escape is None or not _is_character(escape):
            raise ExpressionError("Syntax error: invalid escape in string", offset + backslash)
        yield escape
        position = escape.end()


def _is_character(escape: re.Match[str]) -> bool:
    digits = escape["short"] or escape["long"]
    if digits is None:
        return True
    code = int(digits, 16)
    return code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF


def _character(part: str | re.Match[str]) -> str:
    if isinstance(part, str):
        return part
    if simple := part["simple"]:
        return _SIMPLE_ESCAPES.get(simple, simple)
    return chr(_code(part))


def _bytes(part: str | re.Match[str]) -> bytes:
    if not isinstance(part, str) and (part["hex"] or part["octal"]):
        return bytes([_code(part)])
    return _character(part).encode("utf-8", "replace")


def _code(escape: re.Match[str]) -> int:
    if octal := escape["octal"]:
        return int(octal, 8)
    return int(escape["hex"] or escape["short"] or escape["long"], 16)
