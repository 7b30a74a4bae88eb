"""A page of another site must not open a live connection with the visitor's cookies."""

from collections.abc import Iterable
from urllib.parse import urlsplit


def is_same_origin(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether `Origin` names the host that the request was sent to; without one it is not a browser."""
    by_name = dict(headers)
    origin = by_name.get(b"origin")
    if origin is None:
        return True
    host = by_name.get(b"host", b"").decode("latin-1").lower()
    return bool(host) and urlsplit(origin.decode("latin-1").lower()).netloc == host
