"""Names and slugs (spec 05, 1.4 and 1.5). Pure."""

import re
import unicodedata
from collections.abc import Container
from uuid import UUID

from apps.tenancy.exceptions import InvalidName

MAX_NAME = 255
_MAX_SLUG = 50
# Controls, line ends, and what changes the direction of text.
_REFUSED = frozenset({"Cc", "Zl", "Zp", "Cs"})
_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean_name(name: str, *, limit: int = MAX_NAME) -> str:
    """The name as it is shown: trimmed. Raises InvalidName."""
    trimmed = name.strip()
    if not trimmed:
        raise InvalidName("A name is needed.")
    if len(trimmed) > limit or len(normal_name(trimmed)) > limit:
        raise InvalidName(f"A name has at most {limit} characters.")
    if any(unicodedata.category(char) in _REFUSED or char in _DIRECTION for char in trimmed):
        raise InvalidName("A name has no control characters.")
    return trimmed


def normal_name(name: str) -> str:
    """What names are compared by."""
    return unicodedata.normalize("NFC", name.strip()).casefold()


def make_slug(name: str, own_id: UUID, taken: Container[str]) -> str:
    """Lower-case words joined by hyphens; when that is taken or empty, with the first block of the id."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_name.lower())[:_MAX_SLUG].strip("-")
    if slug and slug not in taken:
        return slug
    return f"{slug}-{own_id.hex[:8]}".strip("-")
