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
        if not self.is_secret:
            return self.value
        return mask(self.value, shows_start="EVENT_KEY" in self.name.upper().replace("-", "_"))


readings: dict[str, Reading] = {}


def note_reading(reading: Reading) -> None:
    """The last reading counts: a narrower settings module reads again what its base has read."""
    readings[reading.name] = reading


def mask(value: str, *, shows_start: bool = False) -> str:
    """A secret as it may be shown: of a URL all but the password, of a signing key its prefix, of an event
    key (`shows_start`) that is long enough its first 7 characters, of another secret nothing (spec 05, 2.10).
    """
    if "," in value and "://" not in value:
        return ",".join(mask(part, shows_start=shows_start) for part in value.split(","))
    if "://" in value:
        return _without_password(value)
    if prefix := _SIGNING_KEY.match(value):
        return f"{prefix[0]}…"
    if shows_start and len(value) > 2 * _SHOWN_CHARACTERS:
        return f"{value[:_SHOWN_CHARACTERS]}…"
    return "…" if value else ""


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    if parts.password is None:
        return url
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}:…@{host}"))
