"""Values as people write them in flags, environment variables and configuration files.

Each reader takes the name to blame and raises `ImproperlyConfigured`, a sentence that starts with it.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

# Connections of one process to PostgreSQL, where nothing else is said.
MAX_OPEN_CONNS = 20
MAX_IDLE_CONNS = 2

_TRUE_WORDS = frozenset({"1", "true", "yes", "on", "y", "t"})
_KEY_PREFIX = re.compile(r"^signkey-\w+-")
_FALSE_WORDS = frozenset({"0", "false", "no", "off", "n", "f"})


def parse_switch(name: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in _TRUE_WORDS:
        return True
    if word in _FALSE_WORDS:
        return False
    raise ImproperlyConfigured(f"{name} must be true or false, not {value!r}")


def check_signing_key(name: str, value: str) -> None:
    """The part after `signkey-<word>-` must be hex with an even number of characters (spec 03 2.6)."""
    digits = _KEY_PREFIX.sub("", value)
    if len(digits) % 2:
        raise ImproperlyConfigured(f"{name} must be hex string with even number of chars")
    try:
        bytes.fromhex(digits)
    except ValueError as problem:
        raise ImproperlyConfigured(f"{name} must be valid hex string: {problem}") from None


def check_pool(most: int, idle: int) -> None:
    """The connections to PostgreSQL that a process may have, and keeps (spec 03 2.6)."""
    if most <= 1:
        raise ImproperlyConfigured(f"postgres-max-open-conns ({most}) must be greater than 1")
    if idle > most:
        raise ImproperlyConfigured(
            f"postgres-max-idle-conns ({idle}) cannot be greater than postgres-max-open-conns ({most})"
        )


def parse_integer(name: str, value: object, minimum: int, maximum: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}")
    try:
        number = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}") from None
    if not minimum <= number <= maximum:
        raise ImproperlyConfigured(f"{name} must be between {minimum} and {maximum}, not {number}")
    return number


def parse_text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise ImproperlyConfigured(f"{name} must be text, not {value!r}")
    return value.strip()


def parse_words(name: str, value: object) -> tuple[str, ...]:
    """A list, or text with commas between the items."""
    if isinstance(value, list):
        return tuple(parse_text(name, item) for item in value)
    return split_words(parse_text(name, value))


def split_words(value: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in value.split(",") if word.strip())


def _read_secret_file(variable: str, path: str) -> str:
    """The content of the file that `variable` (a name in `_FILE`) names, without its last line break."""
    try:
        content = Path(path).read_text().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as problem:
        raise ImproperlyConfigured(f"{variable} cannot be read: {problem}") from None
    if not content:
        raise ImproperlyConfigured(f"{variable} names an empty file: {path}")
    return content


def find_secret(environment: Mapping[str, str], name: str) -> str | None:
    """The variable `name`, or the content of the file that `<name>_FILE` names. Both set is an error."""
    value, path = (environment.get(variable, "").strip() for variable in (name, f"{name}_FILE"))
    if value and path:
        raise ImproperlyConfigured(f"{name} and {name}_FILE are both set; keep one")
    return _read_secret_file(f"{name}_FILE", path) if path else value or None
