"""`GET /metrics`: the whole installation in Prometheus' text format, from any web process.

Workers and schedulers listen on no port: what they count is summed up in Redis, so that one target that may
be balanced over any number of web processes tells all, and a process that ends takes no counts with it.
"""

import hmac
import time

from asgiref.sync import async_to_sync
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.core import Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from apps.engine.protocol.signing import bearer_token
from apps.engine.store.client import RedisError, RedisUnavailable
from apps.identity.models import User
from apps.server.metrics.families import families
from apps.server.metrics.snapshot import Snapshot, read_snapshot

# Looking costs Redis a call per ten functions; however many ask, it is asked this often.
_FRESH_SECONDS = 2.0


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    if not may_read(request):
        return HttpResponse(
            "Authentication failed\n",
            status=401,
            content_type="text/plain; charset=utf-8",
            headers={"WWW-Authenticate": "Bearer"},
        )
    try:
        text = _page.text()
    except (RedisUnavailable, RedisError):
        return HttpResponse("Redis does not answer\n", status=503, content_type="text/plain; charset=utf-8")
    return HttpResponse(text, content_type=CONTENT_TYPE_PLAIN_0_0_4)


def may_read(request: HttpRequest) -> bool:
    """Everyone in dev mode; else whoever knows STEPWELL_METRICS_TOKEN, and a signed-in operator."""
    if settings.STEPWELL_MODE == "dev":
        return True
    presented = bearer_token(request.headers.get("Authorization", ""))
    expected = settings.STEPWELL_METRICS_TOKEN
    if presented:
        return bool(expected) and hmac.compare_digest(presented.encode(), expected.encode())
    user = request.user
    return isinstance(user, User) and user.is_active and user.is_superuser


class _Page:
    """The text, made again when it is too old. Two requests at once may both make it."""

    def __init__(self) -> None:
        self._text = b""
        self._until = 0.0

    def text(self) -> bytes:
        if time.monotonic() >= self._until:
            snapshot = async_to_sync(read_snapshot)(settings.REDIS_URL, settings.STEPWELL_SHARD)
            self._text = render(snapshot)
            self._until = time.monotonic() + _FRESH_SECONDS
        return self._text

    def forget(self) -> None:
        self._until = 0.0


_page = _Page()


def render(snapshot: Snapshot) -> bytes:
    registry = CollectorRegistry()
    registry.register(_Families(snapshot))
    return generate_latest(registry)


class _Families(Collector):
    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> list[Metric]:
        return list(families(self._snapshot))
