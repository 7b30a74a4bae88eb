"""What is noted of REST calls and syncs that are refused (apps/refusals), read off their answers."""

import re
from typing import Final

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from apps.credentials.http import noted_environment
from apps.engine.protocol.signing import bearer_token
from apps.refusals.buffer import process_refusals
from apps.refusals.refusal import HIDDEN, UNKNOWN, Face, key_end, refusal
from apps.tenancy.models import DEV_ENVIRONMENT_ID

# Not 404 and 409: they tell of what was asked for, and the question was a good one.
_MISTAKES: Final = frozenset({400, 401, 403, 413, 415})
_FACES: Final = {
    "/v0/runs/": Face.REST,
    "/v1/": Face.REST,
    "/fn/": Face.SYNC,
    "/dev": Face.SYNC,
}
_PARAMETER: Final = re.compile("<[^>]*>")


class _Body(msgspec.Struct):
    error: str = ""


_decoder = msgspec.json.Decoder(_Body)


def note_answer(request: HttpRequest, response: HttpResponseBase) -> None:
    """Note the request if one of these faces has refused it."""
    if response.status_code not in _MISTAKES:
        return
    face = next((face for prefix, face in _FACES.items() if request.path.startswith(prefix)), None)
    if face is None:
        return
    is_unknown = response.status_code == 401
    noted = refusal(
        face,
        method=request.method or "",
        path=_path(request),
        status=response.status_code,
        error=_error(request, response),
        env_id=UNKNOWN if is_unknown else _environment(request),
    )
    token = bearer_token(request.headers.get("Authorization", ""))
    process_refusals.note(noted, key_end(token) if is_unknown else "")


def _environment(request: HttpRequest) -> str:
    """The caller's, if it was asked who calls before the request was refused."""
    if settings.STEPWELL_MODE == "dev":
        return str(DEV_ENVIRONMENT_ID)
    found = noted_environment(request)
    return UNKNOWN if found is None else str(found)


def _path(request: HttpRequest) -> str:
    """The route, in which ids are parameters."""
    route = request.resolver_match.route if request.resolver_match else HIDDEN
    return "/" + _PARAMETER.sub(HIDDEN, route)


def _error(request: HttpRequest, response: HttpResponseBase) -> str:
    """The text of the answer; Django's own, to a body beyond its limit, is a page without any."""
    if response.status_code == 400 and _is_too_large(request):
        return "Request body is over the max size"
    content = getattr(response, "content", b"")
    kind = response.headers.get("Content-Type", "")
    if kind.startswith("application/json"):
        return _decoder.decode(content).error
    text: str = content.decode() if kind.startswith("text/plain") else ""
    return text


def _is_too_large(request: HttpRequest) -> bool:
    limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return int(request.META.get("CONTENT_LENGTH") or 0) > limit
