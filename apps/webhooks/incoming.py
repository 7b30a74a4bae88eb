"""A delivery as it came, in the forms that verification and scripts want it in. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import parse_qs

MAX_QUERY_FIELDS: Final = 200
REDACTED: Final = "[redacted]"


class QueryInvalid(ValueError):
    """The query has too many fields."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """`headers` by lower-case names, values of one name joined with `, `; `received_ms` since the epoch."""

    method: str
    headers: Mapping[str, str]
    query: Mapping[str, Sequence[str]]
    body: bytes
    received_ms: int
    ip: str = ""

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")

    @property
    def canonical_headers(self) -> dict[str, str]:
        """As scripts see them: `X-Github-Event`."""
        return {canonical_name(name): value for name, value in self.headers.items()}

    def without(self, names: Iterable[str]) -> "Incoming":
        """With the values of these headers hidden."""
        hidden = {name: REDACTED for name in names if name in self.headers}
        return replace(self, headers={**self.headers, **hidden}) if hidden else self


def canonical_name(name: str) -> str:
    return "-".join(part.capitalize() for part in name.lower().split("-"))


def headers_of(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """ASGI headers, in the order in which they came."""
    found: dict[str, str] = {}
    for raw_name, raw_value in raw:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def query_of(raw: bytes) -> dict[str, list[str]]:
    """Each name with all its values. Raises QueryInvalid."""
    try:
        return parse_qs(
            raw.decode("latin-1"), keep_blank_values=True, max_num_fields=MAX_QUERY_FIELDS, errors="replace"
        )
    except ValueError:
        raise QueryInvalid(f"The query has more than {MAX_QUERY_FIELDS} fields") from None
