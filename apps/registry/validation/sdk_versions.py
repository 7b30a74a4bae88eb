"""The list of SDK versions that an operator refuses (spec 02 12.7); empty by default.

A rule is `<language>:<version>` or `<language>:<first>-<last>`, both ends included, for example
`js:3.22.0-3.53.1`.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

_RULE = re.compile(r"([\w-]+):v?([\d.]+)(?:-v?([\d.]+))?")
_NUMBERS = re.compile(r"v?(\d+(?:\.\d+)*)")
_PARTS = 4

Version = tuple[int, ...]


class SdkRule(NamedTuple):
    language: str
    first: Version
    last: Version


def parse_rule(text: str) -> SdkRule:
    """Raises ValueError for a text that is not a rule."""
    match = _RULE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"not an SDK version rule: {text!r}")
    language, first, last = match.groups()
    return SdkRule(language.lower(), _version(first), _version(last or first))


def is_denied(language: str, version: str, rules: Iterable[SdkRule]) -> bool:
    number = _version(version)
    return any(rule.language == language.lower() and rule.first <= number <= rule.last for rule in rules)


def _version(text: str) -> Version:
    """Numbers of the leading dotted part, without pre-release labels, padded to compare."""
    match = _NUMBERS.match(text)
    numbers = [int(part) for part in match[1].split(".")] if match else []
    return tuple((numbers + [0] * _PARTS)[:_PARTS])
