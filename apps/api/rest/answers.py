"""Answers of the REST faces: JSON in which users' own JSON stays as it is, byte by byte."""

from collections.abc import Iterable, Mapping

import msgspec
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.engine import clock
from apps.engine.protocol.dates import rfc3339


class JsonRenderer(BaseRenderer):
    """Takes `msgspec.Raw` for JSON text that is passed through."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(
        self,
        data: object,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, object] | None = None,
    ) -> bytes:
        return msgspec.json.encode(data) + b"\n" if data is not None else b""


class AlwaysJson(BaseContentNegotiation):
    """`Accept`, `Content-Type` and format suffixes do not matter: SDKs send odd ones or none."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        return next(iter(parsers))

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


def enveloped(data: object, fresh_seconds: int = 0) -> Response:
    """`data` with its metadata (spec 03, 4.1); `fresh_seconds` is how long a client may keep it."""
    now = clock.now_ms()
    metadata = {"fetched_at": rfc3339(now)}
    if not fresh_seconds:
        return Response({"data": data, "metadata": metadata})
    metadata["cached_until"] = rfc3339(now + fresh_seconds * 1000)
    headers = {"Cache-Control": f"private, max-age={fresh_seconds}"}
    return Response({"data": data, "metadata": metadata}, headers=headers)


def raw(text: str) -> msgspec.Raw:
    """JSON text to be passed through as it is."""
    return msgspec.Raw(text.encode())


def time_or_none(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else rfc3339(milliseconds)
