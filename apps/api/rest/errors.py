"""Errors of the REST faces: shape A, and the router's plain texts (spec 03, 1.5 and 1.8)."""

import logging

from django.http import Http404, HttpResponse
from rest_framework import exceptions
from rest_framework.response import Response

from apps.engine.store.client import RedisUnavailable

logger = logging.getLogger(__name__)


class PublicError(exceptions.APIException):
    """{"error", "data": null, "status"}, with "code" where there is one."""

    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status_code = status
        self.message = message
        self.code = code

    def body(self) -> dict[str, object]:
        code = {"code": self.code} if self.code else {}
        return {**code, "error": self.message, "data": None, "status": self.status_code}


def answer_error(error: Exception, context: dict[str, object]) -> Response | HttpResponse | None:
    """REST framework's exception handler; None hands an unexpected error on to Django."""
    if isinstance(error, PublicError):
        return Response(error.body(), status=error.status_code)
    if isinstance(error, exceptions.NotAuthenticated | exceptions.PermissionDenied):
        return plain_text("Authentication failed\n", 401)
    if isinstance(error, exceptions.MethodNotAllowed):
        return HttpResponse(status=405)
    if isinstance(error, Http404):
        return not_found()
    if isinstance(error, RedisUnavailable):
        logger.warning("The engine is not reachable: %s", error)
        return Response(PublicError(503, "The engine is not reachable at the moment").body(), status=503)
    return None


def not_found() -> HttpResponse:
    return plain_text("404 page not found\n", 404)


def plain_text(text: str, status: int) -> HttpResponse:
    response = HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
    response["X-Content-Type-Options"] = "nosniff"
    return response
