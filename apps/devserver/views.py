"""`GET /health` (spec 03 7.1)."""

from functools import cache

import redis
from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from apps.devserver.health import ROLES, missing_roles


@cache
def _client(url: str) -> "redis.Redis":
    return redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)


@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 as soon as web answers; with `?roles=a,b` 503 until each of these roles shows life."""
    roles = [role for role in request.GET.get("roles", "").split(",") if role]
    unknown = [role for role in roles if role not in ROLES]
    if unknown:
        return _answer(400, f"Unknown roles: {', '.join(unknown)}")
    try:
        missing = missing_roles(_client(settings.REDIS_URL), settings.STEPWELL_SHARD, roles)
    except redis.RedisError:
        return _answer(503, "Redis does not answer")
    return _answer(503, f"Missing roles: {', '.join(missing)}") if missing else _answer(200, "OK")


def _answer(status: int, message: str) -> JsonResponse:
    return JsonResponse({"status": status, "message": message}, status=status)
