"""URLs of apps: how one is recognised, and which forms of it to call (spec 01 4.8, spec 03 6.15)."""

from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}
LOOPBACK_LITERALS = ("127.0.0.1", "0.0.0.0", "::1")  # noqa: S104 compared with, not bound to
_IGNORED_PARAMETERS = ("deployId", "probe")


class AppUrlError(ValueError):
    """The text is not a URL that an app can be reached at."""


def complete(url: str) -> str:
    """The URL as a user typed it, with `http://` where it has no scheme."""
    url = url.strip()
    return url if "://" in url else f"http://{url}"


def normalise(url: str) -> str:
    """The form by which an app's URL is recognised; not always the one to call. Raises AppUrlError."""
    parts = _split(url)
    host = parts.hostname or ""
    netloc = "localhost" if host in ("127.0.0.1", "0.0.0.0") else _bracketed(host)  # noqa: S104 compared
    if parts.port is not None and parts.port != DEFAULT_PORTS.get(parts.scheme):
        netloc = f"{netloc}:{parts.port}"
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    query = urlencode(sorted(pair for pair in pairs if pair[0] not in _IGNORED_PARAMETERS))
    return SplitResult(parts.scheme, netloc, parts.path, query, "").geturl()


def normalise_or_keep(url: str) -> str:
    """`normalise` for URLs that SDKs report: what cannot be read stays as it is."""
    try:
        return normalise(url) if url else ""
    except AppUrlError:
        return url


def call_candidates(url: str) -> list[str]:
    """The URL, then the same on `localhost` (IPv4 and IPv6) where it names one loopback address."""
    parts = _split(url)
    if parts.hostname not in LOOPBACK_LITERALS:
        return [url]
    netloc = "localhost" if parts.port is None else f"localhost:{parts.port}"
    return [url, parts._replace(netloc=netloc).geturl()]


def scheme(url: str) -> str:
    return url.partition("://")[0].lower()


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(complete(url))
        port_is_usable = parts.port is None or parts.port > 0
    except ValueError as error:
        raise AppUrlError(f"invalid URL: {error}") from None
    if not parts.hostname or not port_is_usable:
        raise AppUrlError("invalid URL: it names no host")
    return parts


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
