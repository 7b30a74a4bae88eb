"""No text of a request has a null character: PostgreSQL stores none, and nobody's name or id has one.

Bodies of JSON are left to their parsers and to the history writer, which replaces them.
"""

from collections.abc import Awaitable, Callable
from typing import Final, cast

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import sync_and_async_middleware

Handler = Callable[[HttpRequest], HttpResponse]
AsyncHandler = Callable[[HttpRequest], Awaitable[HttpResponse]]

_FORMS: Final = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
_TEXT: Final = "Null characters are not allowed\n"


@sync_and_async_middleware
def refuse_null_characters(get_response: Handler | AsyncHandler) -> Handler | AsyncHandler:
    """400 for one in the path, the query or a form."""
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponse:
            return _refusal(request) or await get_response(request)

        return answer_async

    def answer(request: HttpRequest) -> HttpResponse:
        return _refusal(request) or cast("Handler", get_response)(request)

    return answer


def _refusal(request: HttpRequest) -> HttpResponse | None:
    query: str = request.META.get("QUERY_STRING", "")
    if "\x00" not in request.path_info and not _has(query) and not _is_in_form(request):
        return None
    return HttpResponse(_TEXT, status=400, content_type="text/plain; charset=utf-8")


def _is_in_form(request: HttpRequest) -> bool:
    """The body of a form is read as a whole anyway, and is bounded (body_limit.py)."""
    if request.content_type not in _FORMS:
        return False
    return _has(request.body.decode("latin-1"))


def _has(text: str) -> bool:
    return "%00" in text or "\x00" in text
