"""What every answer passes: its headers, the rules for pages of other origins (spec 03, 1.3 and 1.4), and
the note of a refusal (refusing.py)."""

from collections.abc import Awaitable, Callable
from typing import cast

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.decorators import sync_and_async_middleware

from apps.api.refusing import note_answer
from apps.ingest import cors

Handler = Callable[[HttpRequest], HttpResponse]
AsyncHandler = Callable[[HttpRequest], Awaitable[HttpResponse]]


@sync_and_async_middleware
def server_headers(get_response: Handler | AsyncHandler) -> Handler | AsyncHandler:
    """Preflights are answered here, before anything asks who calls."""
    if iscoroutinefunction(get_response):
        return _async_handler(get_response)
    return _handler(cast("Handler", get_response))


def _handler(get_response: Handler) -> Handler:
    def answer(request: HttpRequest) -> HttpResponse:
        return _preflight(request) or _with_headers(request, get_response(request))

    return answer


def _async_handler(get_response: AsyncHandler) -> AsyncHandler:
    async def answer(request: HttpRequest) -> HttpResponse:
        return _preflight(request) or _with_headers(request, await get_response(request))

    return answer


def _preflight(request: HttpRequest) -> HttpResponse | None:
    headers = {name.lower().encode(): value.encode("latin-1") for name, value in request.headers.items()}
    if not cors.is_preflight(request.method or "", headers):
        return None
    answer = HttpResponse(headers=_text(cors.preflight_headers(headers)))
    answer["X-Inngest-Server-Kind"] = _server_kind()
    return answer


def _with_headers(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    note_answer(request, response)
    response["X-Inngest-Server-Kind"] = _server_kind()
    origin = request.headers.get("Origin")
    for name, value in _text(cors.origin_headers(origin.encode("latin-1") if origin else None)).items():
        if name != "vary":
            response[name] = value
    patch_vary_headers(response, ["Origin"])
    return response


def _server_kind() -> str:
    return "dev" if settings.STEPWELL_MODE == "dev" else "cloud"


def _text(headers: cors.HeaderList) -> dict[str, str]:
    return {name.decode(): value.decode("latin-1") for name, value in headers}
