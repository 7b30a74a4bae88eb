"""Whether the database and Redis are well, and which roles of the platform are alive."""

from typing import Any, Final

import redis
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from apps.dashboard.console.cards import AWAY, OK, Card, Fact, size_text
from apps.dashboard.presenters.statuses import Badge
from apps.devserver.health import KEPT_ROLES, missing_roles

_TIMEOUT_SECONDS: Final = 2
_PENDING: Final = Badge("Migrations wait", "wait", "hourglass")
_MISSING: Final = Badge("Incomplete", "wait", "triangle-alert")
_NEEDED: Final = "Run the migrations with manage.py migrate."
_WAITING: Final = "Events are accepted, and wait until every role is back."


def database_card() -> Card:
    """With the migrations that have not run: what the code expects and the database does not have."""
    with connection.cursor() as cursor:
        version, size = _postgresql(cursor) if connection.vendor == "postgresql" else _sqlite(cursor)
    executor = MigrationExecutor(connection)
    pending = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    facts = [
        Fact(connection.display_name, version),
        Fact("Size", size_text(size)),
        Fact("Pending migrations", str(pending)),
    ]
    return Card("Database", _PENDING, facts, _NEEDED) if pending else Card("Database", OK, facts)


def _postgresql(cursor: Any) -> tuple[str, int]:
    cursor.execute("SELECT current_setting('server_version'), pg_database_size(current_database())")
    version, size = cursor.fetchone()
    return str(version).split()[0], int(size)


def _sqlite(cursor: Any) -> tuple[str, int]:
    cursor.execute("SELECT sqlite_version(), page_count * page_size FROM pragma_page_count, pragma_page_size")
    version, size = cursor.fetchone()
    return str(version), int(size)


def redis_card() -> Card:
    try:
        with _client() as client:
            found: dict[str, Any] = client.info()
    except redis.RedisError:
        return Card("Redis", AWAY, note="Nothing is accepted or run until it is back.")
    name = "Valkey" if "valkey_version" in found else "Redis"
    facts = [
        Fact(name, str(found.get("valkey_version") or found["redis_version"])),
        Fact("Memory", size_text(int(found["used_memory"]))),
        Fact("Clients", f"{found['connected_clients']:,}"),
    ]
    return Card("Redis", OK, facts)


def roles_card() -> Card:
    try:
        with _client() as client:
            missing = missing_roles(client, settings.STEPWELL_SHARD, list(KEPT_ROLES))
    except redis.RedisError:
        return Card("Roles", AWAY, note="Redis knows which are alive, and does not answer.")
    facts = [Fact("Web", "answers")]
    facts += [Fact(role.capitalize(), "missing" if role in missing else "alive") for role in KEPT_ROLES]
    return Card("Roles", _MISSING, facts, _WAITING) if missing else Card("Roles", OK, facts)


def _client() -> "redis.Redis":
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS
    )
