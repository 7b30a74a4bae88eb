"""Bulk writes below the ORM: one prepared statement for many rows on SQLite, COPY on PostgreSQL."""

import sqlite3
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Protocol

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper

from apps.runs.history.tables import CLOSE_STEPS_OF_RUN, CLOSE_STEPS_OF_RUNS, Upsert

Row = Sequence[object]


class Bulk(Protocol):
    """Writes within the caller's transaction; errors are those of the driver."""

    def upsert(self, statement: Upsert, rows: Sequence[Row]) -> None: ...

    def close_steps(self, run_ids: Sequence[str]) -> None: ...


def bulk_for(connection: BaseDatabaseWrapper) -> Bulk:
    connection.ensure_connection()
    raw = connection.connection
    if connection.vendor == "postgresql":
        return PostgresBulk(raw)
    return SqliteBulk(raw)


class SqliteBulk:
    def __init__(self, connection: sqlite3.Connection) -> None:
        # The driver's own connection class: Django's cursor would rewrite each statement.
        self._execute_many = connection.executemany

    def upsert(self, statement: Upsert, rows: Sequence[Row]) -> None:
        self._execute_many(_sqlite_insert(statement), rows)

    def close_steps(self, run_ids: Sequence[str]) -> None:
        self._execute_many(CLOSE_STEPS_OF_RUN, [(run_id,) for run_id in run_ids])


@lru_cache
def _sqlite_insert(statement: Upsert) -> str:
    marks = ", ".join("?" for _ in statement.columns)
    return f"INSERT INTO {statement.table} ({_columns(statement)}) VALUES ({marks}) {statement.conflict()}"  # noqa: S608


class PostgresBulk:
    """Rows go by COPY into a temporary table of the session, from there into the real one."""

    def __init__(self, connection: "psycopg.Connection[tuple[object, ...]]") -> None:
        self._connection = connection

    def upsert(self, statement: Upsert, rows: Sequence[Row]) -> None:
        create, copy, insert = _postgres_statements(statement)
        with self._connection.cursor() as cursor:
            cursor.execute(create)
            _copy_rows(cursor, copy, rows)
            cursor.execute(insert)

    def close_steps(self, run_ids: Sequence[str]) -> None:
        self._connection.execute(CLOSE_STEPS_OF_RUNS.encode(), (list(run_ids),))


def _copy_rows(cursor: "psycopg.Cursor[tuple[object, ...]]", copy: bytes, rows: Iterable[Row]) -> None:
    with cursor.copy(copy) as target:
        for row in rows:
            target.write_row(row)


@lru_cache
def _postgres_statements(statement: Upsert) -> tuple[bytes, bytes, bytes]:
    stage, columns = f"stage_{statement.name}", _columns(statement)
    source = f"SELECT {columns} FROM {statement.table}"  # noqa: S608 names of our own tables
    create = f"CREATE TEMP TABLE IF NOT EXISTS {stage} ON COMMIT DELETE ROWS AS {source} WITH NO DATA"
    copy = f"COPY {stage} ({columns}) FROM STDIN"
    staged = f"SELECT {columns} FROM {stage}"  # noqa: S608
    insert = f"INSERT INTO {statement.table} ({columns}) {staged} {statement.conflict()}"
    return create.encode(), copy.encode(), insert.encode()


def _columns(statement: Upsert) -> str:
    return ", ".join(statement.columns)
