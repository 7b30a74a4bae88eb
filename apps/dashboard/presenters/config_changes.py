"""What differs between two configurations of a function, setting by setting. Pure."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

MAX_CHANGES: Final = 20
MAX_TEXT: Final = 160
ABSENT: Final = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A setting by its path. `before` is empty where it is new, `after` where it is gone."""

    path: str
    before: str
    after: str


def config_changes(before: str, after: str) -> list[Change]:
    """Of two JSON objects, at most MAX_CHANGES; what is no JSON object counts as an empty one."""
    old, new = dict(_settings(_object(before))), dict(_settings(_object(after)))
    changed = [path for path in sorted({*old, *new}) if old.get(path) != new.get(path)]
    return [
        Change(path, _short(old.get(path, ABSENT)), _short(new.get(path, ABSENT)))
        for path in changed[:MAX_CHANGES]
    ]


def _object(text: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _settings(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Objects by their keys; lists are one setting."""
    for key, inner in value.items():
        path = f"{prefix}{key}"
        if isinstance(inner, dict) and inner:
            yield from _settings(inner, f"{path}.")
        else:
            yield path, json.dumps(inner, ensure_ascii=False, sort_keys=True)


def _short(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"
