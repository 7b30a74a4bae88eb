"""Probes. `/health` (apps/devserver/views.py) is the reference's; these two tell more apart.

`/health/live`: the process answers; if not, start it again. `/health/ready`: it can serve, so send it
requests: the database and Redis answer, and with `?roles=worker,scheduler` these roles show life, too. By
itself web is ready without them: events are accepted, and wait.
"""

import logging
from collections.abc import Callable

import redis
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.devserver.health import KEPT_ROLES, ROLES, missing_roles

_TIMEOUT_SECONDS = 2

logger = logging.getLogger(__name__)


@never_cache
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": 200, "message": "OK"})


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    asked = [role for role in request.GET.get("roles", "").split(",") if role]
    unknown = [role for role in asked if role not in ROLES]
    if unknown:
        message = f"Unknown roles: {', '.join(unknown)}"
        return JsonResponse({"status": 400, "message": message}, status=400)
    checks = {
        "database": _is_ok("database", _ask_database, DatabaseError),
        "redis": _is_ok("redis", _ask_redis, redis.RedisError),
    }
    alive = _alive_roles() if checks["redis"] else []
    roles = {role: role in alive for role in KEPT_ROLES}
    is_ready = all(checks.values()) and all(roles.get(role, True) for role in asked)
    status = 200 if is_ready else 503
    body = {"status": status, "message": "OK" if is_ready else "Not ready", "checks": checks, "roles": roles}
    response = JsonResponse(body, status=status)
    # Django would log each probe of a server that is starting as an error of its own.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def _is_ok(name: str, ask: Callable[[], object], failure: type[Exception]) -> bool:
    try:
        ask()
    except failure as problem:
        logger.warning("not ready: %s does not answer: %s", name, problem)
        return False
    return True


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _client() -> "redis.Redis":
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS
    )


def _ask_redis() -> None:
    with _client() as client:
        client.ping()


def _alive_roles() -> list[str]:
    with _client() as client:
        missing = missing_roles(client, settings.STEPWELL_SHARD, list(KEPT_ROLES))
    return [role for role in KEPT_ROLES if role not in missing]
