"""The database of a process: SQLite for one machine, PostgreSQL with a pool of connections for more."""

from typing import Any

import environ

from apps.devserver.values import MAX_IDLE_CONNS, MAX_OPEN_CONNS, check_pool
from config.settings import environment as env

_SQLITE_OPTIONS = {
    "timeout": 20,
    "transaction_mode": "IMMEDIATE",
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY; "
        "PRAGMA mmap_size=268435456; PRAGMA cache_size=-32000; PRAGMA foreign_keys=ON;"
    ),
}


def database(url: str) -> dict[str, Any]:
    """The entry of DATABASES for `url`."""
    found: dict[str, Any] = environ.Env.db_url_config(url)
    if found["ENGINE"] == "django.db.backends.sqlite3":
        found["OPTIONS"] = _SQLITE_OPTIONS
    elif found["ENGINE"] == "django.db.backends.postgresql":
        found["OPTIONS"] = {**found.get("OPTIONS", {}), "pool": _pool()}
    return found


def _pool() -> dict[str, Any]:
    """Of one process. Each request has a thread of its own, so without a pool each would connect anew."""
    most = _count("MAX_OPEN_CONNS", default=MAX_OPEN_CONNS, minimum=1, maximum=10_000)
    idle = _count("MAX_IDLE_CONNS", default=MAX_IDLE_CONNS, minimum=0, maximum=10_000)
    check_pool(most, idle)
    return {
        "min_size": idle,
        "max_size": most,
        "max_idle": 60 * _count("CONN_MAX_IDLE_TIME", default=5, minimum=1, maximum=1_440),
        "max_lifetime": 60 * _count("CONN_MAX_LIFETIME", default=30, minimum=1, maximum=1_440),
        "timeout": 10,
        "reset": _forget_tenant,
    }


def _forget_tenant(connection: Any) -> None:
    """A connection of psycopg comes back to the pool: whatever happened, it keeps no tenant's role."""
    connection.execute(
        "SELECT set_config('stepwell.account', '', false), set_config('stepwell.environment', '', false),"
        " set_config('stepwell.user', '', false), set_config('role', 'none', false)"
    )
    if not connection.autocommit:
        connection.commit()


def _count(name: str, *, default: int, minimum: int, maximum: int) -> int:
    names = (f"STEPWELL_POSTGRES_{name}", f"INNGEST_POSTGRES_{name}")
    return env.integer(*names, default=default, minimum=minimum, maximum=maximum)
