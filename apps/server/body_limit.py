"""Bodies on their way to Django, bounded: Django would write the whole of one to disk before any view may
say that it is too long. The thin handlers bound theirs themselves (apps/ingest/bodies.py)."""

from collections.abc import Callable

from apps.ingest import responses
from apps.ingest.asgi_types import ASGIApp, Message, Receive, Scope, Send

_API_PREFIXES = ("/fn/", "/v0/", "/v1/", "/v2/", "/api/v2/", "/dev/", "/mcp")
_TOO_LONG = responses.text_error(413, "Request body is too large\n")


class _TooLong(Exception):
    """More has come than is allowed."""


class BodyLimit:
    """Lengths are bytes: `page_bytes` for what a browser sends, `api_bytes` for SDKs and scripts."""

    def __init__(self, application: ASGIApp, *, page_bytes: int, api_bytes: int) -> None:
        self._application = application
        self._page_bytes = page_bytes
        self._api_bytes = api_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_api = scope["path"].startswith(_API_PREFIXES)
        limit = self._api_bytes if is_api else self._page_bytes
        announced = _content_length(scope)
        if announced <= limit:
            await self._bounded(scope, _counting(receive, limit), send)
        elif is_api:
            # The view learns from the header that the body is too long, and answers in its API's own way.
            await self._application(scope, _no_body(), send)
        else:
            await responses.send_reply(send, _TOO_LONG, ())

    async def _bounded(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._application(scope, receive, send)
        except _TooLong:
            # Django reads all of a body before it begins an answer.
            await responses.send_reply(send, _TOO_LONG, ())


def _content_length(scope: Scope) -> int:
    """0 where there is none: a chunked body is counted as it comes."""
    text = dict(scope["headers"]).get(b"content-length", b"")
    return int(text[:20]) if text.isdigit() else 0


def _counting(receive: Receive, limit: int) -> Receive:
    left = limit

    async def counted() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise _TooLong
        return message

    return counted


def _no_body() -> Receive:
    parts: list[Callable[[], Message]] = [lambda: {"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        return parts.pop()() if parts else {"type": "http.disconnect"}

    return receive
