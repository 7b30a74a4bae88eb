"""Readers of environment variables. A value that cannot be meant is an error that names its variable.

Each reader takes the variable's own name first and then its aliases; the first one that is set wins.
An empty value counts as not set, as compose files write `NAME=` for "nothing".
"""

import json
import os
from collections.abc import Collection

from django.core.exceptions import ImproperlyConfigured

from apps.devserver.sources import DEFAULT, Reading, note_reading
from apps.devserver.values import find_secret, parse_integer, parse_switch, split_words


def _first_set(names: tuple[str, ...], default: object) -> tuple[str, str] | None:
    """The variable that counts and its value, noted for `config check`."""
    for name in names:
        value = os.environ.get(name, "").strip()
        if value:
            note_reading(Reading(names[0], value, name))
            return name, value
    note_reading(Reading(names[0], _shown(default), DEFAULT))
    return None


def _shown(default: object) -> str:
    if isinstance(default, bool):
        return "true" if default else "false"
    return ",".join(map(str, default)) if isinstance(default, list | tuple) else str(default)


def text(*names: str, default: str = "") -> str:
    found = _first_set(names, default)
    return found[1] if found else default


def words(*names: str) -> list[str]:
    """A list, comma separated."""
    return list(split_words(text(*names)))


def secret_words(*names: str) -> list[str]:
    return list(split_words(secret(*names)))


def choice(*names: str, allowed: Collection[str], default: str) -> str:
    """One of `allowed`, in any case."""
    found = _first_set(names, default)
    if found is None:
        return default
    return _one_of(found[0], found[1], allowed)


def choices(*names: str, allowed: Collection[str], default: Collection[str]) -> list[str]:
    """A comma separated list of `allowed` values."""
    found = _first_set(names, tuple(default))
    if found is None:
        return list(default)
    return [_one_of(found[0], word, allowed) for word in split_words(found[1])]


def _one_of(name: str, value: str, allowed: Collection[str]) -> str:
    known = {option.lower(): option for option in allowed}
    if value.lower() not in known:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(sorted(allowed))}, not {value!r}")
    return known[value.lower()]


def flag(*names: str, default: bool) -> bool:
    found = _first_set(names, default)
    return default if found is None else parse_switch(found[0], found[1])


def integer(*names: str, default: int, minimum: int, maximum: int = 2**53) -> int:
    found = _first_set(names, default)
    return default if found is None else parse_integer(found[0], found[1], minimum, maximum)


def limits(*names: str, known: Collection[str]) -> dict[str, int | None]:
    """A JSON object of whole numbers, null for no limit, with `known` names."""
    found = _first_set(names, "")
    if found is None:
        return {}
    try:
        value = json.loads(found[1])
    except ValueError:
        value = None
    if not isinstance(value, dict) or not all(name in known and _is_limit(value[name]) for name in value):
        raise ImproperlyConfigured(
            f"{found[0]} must be a JSON object of numbers or null, with the names {', '.join(sorted(known))}"
        )
    return value


def _is_limit(value: object) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0)


def secret(*names: str, default: str = "") -> str:
    """A value that may also come from the file that `<NAME>_FILE` names (its last line break is dropped)."""
    for name in names:
        value = find_secret(os.environ, name)
        if value is not None:
            source = name if os.environ.get(name, "").strip() else f"the file of {name}_FILE"
            note_reading(Reading(names[0], value, source, is_secret=True))
            return value
    note_reading(Reading(names[0], default, DEFAULT, is_secret=True))
    return default
