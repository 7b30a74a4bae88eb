"""JSON text as indented, coloured lines. Works on tokens: numbers and escapes stay as they were sent."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from typing import Final

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+|"', re.DOTALL)
_OPENERS: Final = frozenset("{[")
_CLOSERS: Final = frozenset("}]")
_SEPARATORS: Final = frozenset(",")
_SHOWN_AS: Final = {":": ": "}
# Deeper lines stand below each other, or a small text of many levels would make a page of gigabytes.
_MAX_INDENT: Final = 32


@dataclass(slots=True)
class Line:
    """`depth` counts the containers around the line; `tokens` are pairs of CSS class (or "") and text."""

    depth: int
    tokens: list[tuple[str, str]] = field(default_factory=list)


def json_lines(raw: str) -> list[Line]:
    """One line per member, element, opening and closing bracket; an empty container takes no own lines.

    Text that is not JSON comes back token by token: nothing is lost but white space.
    """
    lines = [Line(0)]
    for token, following in _with_following(raw):
        _add(lines, token, following)
    return lines


def _with_following(raw: str) -> Iterator[tuple[str, str]]:
    tokens = _TOKEN.findall(raw)
    return zip(tokens, [*tokens[1:], ""], strict=False)


def _add(lines: list[Line], token: str, following: str) -> None:
    depth = lines[-1].depth
    if token in _CLOSERS and not _just_opened(lines[-1]):
        lines.append(Line(max(0, depth - 1)))
    lines[-1].tokens.append((_css_class(token, following), _SHOWN_AS.get(token, token)))
    if token in _SEPARATORS and following:
        lines.append(Line(lines[-1].depth))
    elif token in _OPENERS and following not in _CLOSERS:
        lines.append(Line(lines[-1].depth + 1))


def _just_opened(line: Line) -> bool:
    return bool(line.tokens) and line.tokens[-1][1] in _OPENERS


def _css_class(token: str, following: str) -> str:
    if token.startswith('"'):
        return "k" if following == ":" else "s"
    if token in ("true", "false", "null"):
        return "l"
    return "n" if token[0].isdigit() or token[0] == "-" else ""


def json_html(raw: str) -> str:
    """Escaped markup of the lines; each carries its depth for the `json` controller."""
    return "".join(_line_html(line) for line in json_lines(raw))


def _line_html(line: Line) -> str:
    indent = _indent(line)
    body = "".join(
        f'<span class="{kind}">{escape(text)}</span>' if kind else escape(text) for kind, text in line.tokens
    )
    return f'<span class="code-line" data-depth="{line.depth}">{indent}{body}\n</span>'


def json_plain(raw: str) -> str:
    """The same lines without markup."""
    return "\n".join(_indent(line) + "".join(text for _, text in line.tokens) for line in json_lines(raw))


def _indent(line: Line) -> str:
    return "  " * min(line.depth, _MAX_INDENT)
