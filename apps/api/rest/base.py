"""The view that every REST endpoint is built on."""

import uuid
from collections.abc import Callable

from rest_framework.views import APIView

from apps.api.rest.access import CallerRequired, Guarded, environment_of
from apps.api.rest.answers import AlwaysJson, JsonRenderer
from apps.api.rest.errors import PublicError, answer_error
from apps.engine.protocol.ids import is_ulid


class RestView(Guarded, APIView):
    """Bodies are read raw by the views that take one (spec 03, 13)."""

    authentication_classes = ()
    permission_classes = (CallerRequired,)
    renderer_classes = (JsonRenderer,)
    parser_classes = ()
    content_negotiation_class = AlwaysJson
    metadata_class = None  # OPTIONS is a wrong method like any other

    def get_exception_handler(self) -> Callable[..., object]:
        return answer_error

    @property
    def environment_id(self) -> uuid.UUID:
        return environment_of(self.request)


def ulid_or_error(text: str, message: str) -> str:
    """The id in upper case. Raises PublicError 400 with `message` and the text."""
    if not is_ulid(text):
        raise PublicError(400, f"{message}: {text}")
    return text.upper()
