"""WebSocket URLs of `realtime`."""

from collections.abc import Callable
from typing import cast

from django.http import HttpResponseBase
from django.urls import URLPattern, path

from apps.realtime.consumers import LiveConsumer

# django-stubs knows only HTTP views as the target of a path.
_live = cast("Callable[..., HttpResponseBase]", LiveConsumer.as_asgi())

# In server mode a connection is of one environment, as the page that opens it.
websocket_urlpatterns: list[URLPattern] = [
    path("ws/live", _live),
    path("o/<str:org>/env/<str:env>/ws/live", _live),
]
