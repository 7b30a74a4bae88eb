"""Readers of environment variables. A value that cannot be meant is an error that names its variable.

Each reader takes the variable's own name first and then its aliases; the first one that is set wins.
An empty value counts as not set, as compose files write `NAME=` for "nothing".
"""

import os
from collections.abc import Collection
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

TRUE_WORDS = frozenset({"1", "true", "yes", "on", "y", "t"})
FALSE_WORDS = frozenset({"0", "false", "no", "off", "n", "f"})


def _first_set(names: tuple[str, ...]) -> tuple[str, str] | None:
    for name in names:
        value = os.environ.get(name, "").strip()
        if value:
            return name, value
    return None


def text(*names: str, default: str = "") -> str:
    found = _first_set(names)
    return found[1] if found else default


def words(*names: str) -> list[str]:
    """A list, comma separated."""
    return split_words(text(*names))


def split_words(value: str) -> list[str]:
    return [word.strip() for word in value.split(",") if word.strip()]


def choice(*names: str, allowed: Collection[str], default: str) -> str:
    """One of `allowed`, in any case."""
    found = _first_set(names)
    if found is None:
        return default
    return _one_of(found[0], found[1], allowed)


def choices(*names: str, allowed: Collection[str], default: Collection[str]) -> list[str]:
    """A comma separated list of `allowed` values."""
    found = _first_set(names)
    if found is None:
        return list(default)
    return [_one_of(found[0], word, allowed) for word in split_words(found[1])]


def _one_of(name: str, value: str, allowed: Collection[str]) -> str:
    known = {option.lower(): option for option in allowed}
    if value.lower() not in known:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(sorted(allowed))}, not {value!r}")
    return known[value.lower()]


def flag(*names: str, default: bool) -> bool:
    found = _first_set(names)
    return default if found is None else parse_flag(found[0], found[1])


def parse_flag(name: str, value: str) -> bool:
    if value.lower() in TRUE_WORDS:
        return True
    if value.lower() in FALSE_WORDS:
        return False
    raise ImproperlyConfigured(f"{name} must be true or false, not {value!r}")


def integer(*names: str, default: int, minimum: int, maximum: int = 2**53) -> int:
    found = _first_set(names)
    return default if found is None else parse_integer(found[0], found[1], minimum, maximum)


def parse_integer(name: str, value: str, minimum: int, maximum: int) -> int:
    try:
        number = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}") from None
    if not minimum <= number <= maximum:
        raise ImproperlyConfigured(f"{name} must be between {minimum} and {maximum}, not {number}")
    return number


def secret(*names: str, default: str = "") -> str:
    """A value that may also come from the file that `<NAME>_FILE` names (its last line break is dropped)."""
    for name in names:
        from_file = _secret_from_file(name)
        if from_file is not None:
            return from_file
    return text(*names, default=default)


def _secret_from_file(name: str) -> str | None:
    found = _first_set((f"{name}_FILE",))
    if found is None:
        return None
    if os.environ.get(name):
        raise ImproperlyConfigured(f"{name} and {name}_FILE are both set; keep one")
    try:
        value = Path(found[1]).read_text().rstrip("\r\n")
    except OSError as problem:
        raise ImproperlyConfigured(f"{name}_FILE cannot be read: {problem}") from None
    if not value:
        raise ImproperlyConfigured(f"{name}_FILE names an empty file: {found[1]}")
    return value
