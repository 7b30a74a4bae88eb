"""Cross-origin rules of the API listener (spec 03, 1.4): any origin, no credentials."""

from collections.abc import Mapping

HeaderList = list[tuple[bytes, bytes]]

ALLOWED_METHODS = frozenset({b"GET", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"})
_MAX_AGE_SECONDS = b"3600"
_EXPOSED = b"Link, Mcp-Session-Id"
_PREFLIGHT_VARY = b"Origin, Access-Control-Request-Method, Access-Control-Request-Headers"


def is_preflight(method: str, headers: Mapping[bytes, bytes]) -> bool:
    return method == "OPTIONS" and b"origin" in headers and b"access-control-request-method" in headers


def preflight_headers(headers: Mapping[bytes, bytes]) -> HeaderList:
    """Headers of the answer to a preflight; without a permission where the method is not allowed."""
    answer: HeaderList = [(b"vary", _PREFLIGHT_VARY)]
    method = headers[b"access-control-request-method"].upper()
    if method not in ALLOWED_METHODS:
        return answer
    answer += [
        (b"access-control-allow-origin", headers[b"origin"]),
        (b"access-control-allow-methods", method),
        (b"access-control-max-age", _MAX_AGE_SECONDS),
    ]
    if requested := headers.get(b"access-control-request-headers", b"").strip():
        answer.append((b"access-control-allow-headers", _canonical_names(requested)))
    return answer


def origin_headers(origin: bytes | None) -> HeaderList:
    """Headers that let a page of `origin` read an answer; `Vary` in any case. Never with its cookies."""
    if origin is None or b"\n" in origin or b"\r" in origin:
        return [(b"vary", b"Origin")]
    return [
        (b"vary", b"Origin"),
        (b"access-control-allow-origin", origin),
        (b"access-control-expose-headers", _EXPOSED),
    ]


def _canonical_names(names: bytes) -> bytes:
    return b", ".join(name.strip().title() for name in names.split(b",") if name.strip())
