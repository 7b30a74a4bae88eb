"""Each request has an id: in its answer, in its log lines, and in the audit log's entries."""

import logging
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import sync_and_async_middleware

from apps.engine import clock, log_context
from apps.engine.protocol.ids import new_ulid

Handler = Callable[[HttpRequest], HttpResponse]
AsyncHandler = Callable[[HttpRequest], Awaitable[HttpResponse]]

_GIVEN = re.compile(r"[\w.:-]{1,40}", re.ASCII)
# Monitoring asks these all day long.
_UNLOGGED = ("/health", "/metrics", "/static/")

logger = logging.getLogger("stepwell.requests")


@sync_and_async_middleware
def note_request(get_response: Handler | AsyncHandler) -> Handler | AsyncHandler:
    """Gives the request its id (a proxy's, if it has one) and logs its end, where lines are JSON."""
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponse:
            started = _begin(request)
            return _end(request, await get_response(request), started)

        return answer_async

    def answer(request: HttpRequest) -> HttpResponse:
        started = _begin(request)
        return _end(request, cast("Handler", get_response)(request), started)

    return answer


def request_id_of(given: str) -> str:
    return given if _GIVEN.fullmatch(given) else new_ulid(clock.now_ms())


def _begin(request: HttpRequest) -> float:
    request_id = request_id_of(request.headers.get("X-Request-Id", ""))
    cast("Any", request).request_id = request_id
    log_context.begin(request_id=request_id)
    return time.perf_counter()


def _end(request: HttpRequest, response: HttpResponse, started: float) -> HttpResponse:
    response["X-Request-Id"] = cast("Any", request).request_id
    log_context.bind(**_tenant(request))
    if settings.STEPWELL_LOG_FORMAT == "json" and not request.path.startswith(_UNLOGGED):
        _log(request, response, time.perf_counter() - started)
    return response


def _log(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    """The route, not the path or its query: those may hold keys and one-time tokens."""
    match = request.resolver_match
    logger.info(
        "request",
        extra={
            "method": request.method,
            "route": f"/{match.route}" if match else "",
            "status": response.status_code,
            "duration_ms": round(seconds * 1000, 1),
        },
    )


def _tenant(request: HttpRequest) -> dict[str, str]:
    """Account and environment, where a person's access or a credential has told them."""
    access, caller = getattr(request, "access", None), getattr(request, "caller", None)
    if access is not None:
        environment = access.environment
        return _ids(access.account.id, environment.id if environment is not None else None)
    if caller is not None:
        return _ids(caller.account_id, caller.environment_id)
    return {}


def _ids(account_id: object, environment_id: object) -> dict[str, str]:
    found = {"account_id": account_id, "environment_id": environment_id}
    return {name: str(value) for name, value in found.items() if value}
