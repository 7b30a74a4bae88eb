"""The view that every REST endpoint is built on."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.api.rest.access import CallerRequired, Guarded, caller_of_request, environment_of
from apps.api.rest.answers import AlwaysJson, JsonRenderer
from apps.api.rest.errors import PublicError, answer_error
from apps.api.rest.idempotency import Claim, Replay, claim_of
from apps.audit.changes import Target
from apps.credentials.auditing import audit_call
from apps.engine.protocol.ids import is_ulid

_CHANGING: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class RestView(Guarded, APIView):
    """Bodies are read raw by the views that take one (spec 03, 13)."""

    authentication_classes = ()
    permission_classes = (CallerRequired,)
    renderer_classes = (JsonRenderer,)
    parser_classes = ()
    content_negotiation_class = AlwaysJson
    metadata_class = None  # OPTIONS is a wrong method like any other

    _claim: Claim | None = None

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        super().initial(request, *args, **kwargs)
        if request.method in _CHANGING:
            claim = claim_of(request._request, caller_of_request(request))
            if claim is not None:
                claim.take()
            self._claim = claim

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        try:
            answer = super().dispatch(request, *args, **kwargs)
        except BaseException:
            if self._claim is not None:
                self._claim.drop()
            raise
        if self._claim is not None:
            self._claim.settle(_rendered(answer))
        return answer

    def get_exception_handler(self) -> Callable[..., object]:
        return _answer_error

    @property
    def environment_id(self) -> uuid.UUID:
        return environment_of(self.request)

    def audit(self, action: str, target: Target, after: Mapping[str, Any] | None = None) -> None:
        """Put on record what the request's credential has changed."""
        request = self.request._request
        audit_call(request, caller_of_request(self.request), action, target, after)


def _answer_error(error: Exception, context: dict[str, object]) -> Response | HttpResponse | None:
    return error.response() if isinstance(error, Replay) else answer_error(error, context)


def _rendered(answer: HttpResponseBase) -> HttpResponse:
    """Django renders after the view; an answer that is to be remembered is rendered here."""
    if isinstance(answer, Response):
        answer.render()
    return cast("HttpResponse", answer)


def ulid_or_error(text: str, message: str) -> str:
    """The id in upper case. Raises PublicError 400 with `message` and the text."""
    if not is_ulid(text):
        raise PublicError(400, f"{message}: {text}")
    return text.upper()
