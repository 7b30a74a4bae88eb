"""What a run of pytest on PostgreSQL and Redis does in another way (tests/on_server.py)."""

from collections.abc import Sequence
from typing import Any

import pytest

_DATABASES = {"db", "transactional_db"}


def pytest_sessionstart() -> None:
    from django.db.backends.postgresql.operations import DatabaseOperations

    truncate = DatabaseOperations.sql_flush

    def sql_flush(operations: Any, style: Any, tables: Sequence[str], **options: bool) -> list[str]:
        if options.get("reset_sequences"):
            return list(truncate(operations, style, tables, **options))
        return _deletions(operations, tables)

    DatabaseOperations.sql_flush = sql_flush  # type: ignore[method-assign, assignment]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what meets neither of the two servers, or brings its own."""
    config.hook.pytest_deselected(items=[item for item in items if not _meets_a_server(item)])
    items[:] = [item for item in items if _meets_a_server(item)]


def _meets_a_server(item: pytest.Item) -> bool:
    names = set(getattr(item, "fixturenames", ()))
    if any(name.startswith("redis") for name in names):
        return True
    has_database = item.get_closest_marker("django_db") is not None or bool(names & _DATABASES)
    return has_database and "default_database" not in names


def _deletions(operations: Any, tables: Sequence[str]) -> list[str]:
    """Rows are deleted where there are any: emptying a hundred empty tables takes PostgreSQL half a second.
    A replica fires no triggers and checks no foreign keys."""
    names = [operations.quote_name(table) for table in tables]
    if not names:
        return []
    with operations.connection.cursor() as cursor:
        questions = " UNION ALL ".join(
            f"SELECT {number} WHERE EXISTS (SELECT FROM {name})" for number, name in enumerate(names)
        )
        cursor.execute(questions)
        filled = [names[number] for (number,) in cursor.fetchall()]
    deletions = [f"DELETE FROM {name}" for name in filled]
    return ["SET LOCAL session_replication_role = replica", *deletions] if deletions else []
