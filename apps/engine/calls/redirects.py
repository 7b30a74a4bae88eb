"""Redirects: where the next request goes and what it carries (spec 01, 6.1; spec 04, 6.4)."""

from collections.abc import Mapping

import msgspec
from yarl import URL

REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})

# Dropped when a redirect leaves the host: secrets for one server are none of another's business.
SENSITIVE_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-goog-api-key"}
)


class Request(msgspec.Struct, frozen=True):
    method: str
    url: URL
    headers: Mapping[str, str]
    body: bytes | None = None


def app_redirect(request: Request, status: int, location: str) -> Request:
    """The next hop of a call request: always the same method, headers and body.

    301 to 303 keep the query of the request, which names the function; 307 and 308 take the target's
    where it has one. Raises ValueError for a location that is no URL.
    """
    target = _target(request, location)
    if status in (301, 302, 303) or not target.raw_query_string:
        target = target.with_query(None).join(
            URL.build(query_string=request.url.raw_query_string, encoded=True)
        )
    return Request(request.method, target, _headers_for(request, target), request.body)


def web_redirect(request: Request, status: int, location: str) -> Request:
    """The next hop of any other request: 301 to 303 turn into a GET without a body (HEAD stays)."""
    target = _target(request, location)
    headers = _headers_for(request, target)
    if status in (307, 308) or request.method in ("GET", "HEAD"):
        return Request(request.method, target, headers, request.body)
    kept = {name: value for name, value in headers.items() if not name.lower().startswith("content-")}
    return Request("GET", target, kept)


def _target(request: Request, location: str) -> URL:
    return request.url.join(URL(location)).with_fragment(None)


def _headers_for(request: Request, target: URL) -> Mapping[str, str]:
    leaves_host = target.raw_host != request.url.raw_host
    loses_encryption = request.url.scheme == "https" and target.scheme != "https"
    if not leaves_host and not loses_encryption:
        return request.headers
    return {name: value for name, value in request.headers.items() if name.lower() not in SENSITIVE_HEADERS}
