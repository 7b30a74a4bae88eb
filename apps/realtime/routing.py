"""WebSocket URLs of `realtime`."""

from collections.abc import Callable
from typing import cast

from django.http import HttpResponseBase
from django.urls import URLPattern, path

from apps.realtime.consumers import LiveConsumer

# django-stubs knows only HTTP views as the target of a path.
_live = cast("Callable[..., HttpResponseBase]", LiveConsumer.as_asgi())

websocket_urlpatterns: list[URLPattern] = [path("ws/live", _live)]
