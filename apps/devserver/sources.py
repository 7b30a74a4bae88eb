"""Where each value that a process runs with came from, for `manage.py config check`.

The settings' readers note what they read here as the settings are loaded.
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

DEFAULT = "default"
_SHOWN_CHARACTERS = 7
_SIGNING_KEY = re.compile(r"signkey-\w+-")


@dataclass(frozen=True, slots=True)
class Reading:
    """`name` is the variable's own name, `source` says which variable, file or option told the value."""

    name: str
    value: str
    source: str
    is_secret: bool = False

    @property
    def shown(self) -> str:
        return mask(self.value) if self.is_secret else self.value


readings: dict[str, Reading] = {}


def note_reading(reading: Reading) -> None:
    """The last reading counts: a narrower settings module reads again what its base has read."""
    readings[reading.name] = reading


def mask(value: str) -> str:
    """A secret as it may be shown: of a URL all but the password, of a signing key its prefix, of another
    key of a certain length its start (spec 05, 2.10)."""
    if "," in value:
        return ",".join(mask(part) for part in value.split(","))
    if "://" in value:
        return _without_password(value)
    if prefix := _SIGNING_KEY.match(value):
        return f"{prefix[0]}…"
    return f"{value[:_SHOWN_CHARACTERS]}…" if len(value) > 2 * _SHOWN_CHARACTERS else "…" if value else ""


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    if parts.password is None:
        return url
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}:…@{host}"))
