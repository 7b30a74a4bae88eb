"""Writes a batch in one transaction. Synchronous: the writer calls it in a thread."""

from collections.abc import Iterable
from operator import itemgetter

import msgspec
from django.db import DataError, IntegrityError, connections, transaction

from apps.engine import clock
from apps.runs.history import tables
from apps.runs.history.batch import Batch
from apps.runs.history.bulk import Bulk, Row, bulk_for

# What the data itself causes: trying again cannot help. Every other error may pass.
UNSTORABLE = (DataError, IntegrityError, OverflowError)


class HistoryStore:
    def __init__(self, using: str = "default") -> None:
        self._using = using
        self._version = 0

    def write(self, batch: Batch) -> int:
        """Commit `batch`; returns the version that its runs have now.

        Repeating a batch, or writing batches in another order, leads to the same rows. Raises
        `UNSTORABLE` errors for data that the database refuses, other database errors where a later
        attempt may succeed; in both cases nothing is stored.
        """
        version = self._next_version()
        connection = connections[self._using]
        with transaction.atomic(using=self._using), connection.wrap_database_errors:
            bulk = bulk_for(connection)
            _write_runs(bulk, batch, version)
            _write_steps(bulk, batch, tables.step_upsert(connection.vendor))
            _write_events(bulk, batch)
        return version

    def refresh_statistics(self) -> None:
        """Let SQLite see how its tables have grown (a few ms); PostgreSQL does so by itself.

        Without, it takes any index on the environment for selective and walks a whole environment.
        """
        connection = connections[self._using]
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA analysis_limit=400")
                cursor.execute("ANALYZE")

    def disconnect(self) -> None:
        """Drop the calling thread's connection; the next write opens another."""
        connections[self._using].close()

    def _next_version(self) -> int:
        self._version = max(self._version + 1, clock.now_ms() * 1000)
        return self._version


def _write_runs(bulk: Bulk, batch: Batch, version: int) -> None:
    kinds: dict[tables.Upsert, list[Row]] = {
        tables.RUN_SCHEDULED: [],
        tables.RUN_PROGRESSED: [],
        tables.RUN_TOUCHED: [],
    }
    for run_id, row in batch.runs.items():
        row.version = version
        kinds[_kind(batch, run_id)].append(msgspec.structs.astuple(row))
    for statement, rows in kinds.items():
        _upsert(bulk, statement, rows)
    _upsert(bulk, tables.RUN_OUTPUT, batch.outputs.items())
    _upsert(bulk, tables.RUN_EVENT, ((*key, event_id) for key, event_id in batch.run_events.items()))


def _kind(batch: Batch, run_id: str) -> tables.Upsert:
    if run_id in batch.scheduled:
        return tables.RUN_SCHEDULED
    return tables.RUN_PROGRESSED if run_id in batch.progressed else tables.RUN_TOUCHED


def _write_steps(bulk: Bulk, batch: Batch, step_upsert: tables.Upsert) -> None:
    _upsert(bulk, step_upsert, map(msgspec.structs.astuple, batch.steps.values()))
    _upsert(bulk, tables.STEP_PAYLOAD, map(msgspec.structs.astuple, batch.step_payloads.values()))
    if run_ids := batch.runs_to_close():
        bulk.close_steps(run_ids)


def _write_events(bulk: Bulk, batch: Batch) -> None:
    _upsert(bulk, tables.EVENT, map(msgspec.structs.astuple, batch.events.values()))
    _upsert(bulk, tables.EVENT_BODY, batch.event_bodies.items())
    _upsert(bulk, tables.OUTCOME, map(msgspec.structs.astuple, batch.outcomes.values()))


def _upsert(bulk: Bulk, statement: tables.Upsert, rows: Iterable[Row]) -> None:
    """In the order of the key: two writers then never wait for each other in a circle."""
    if ordered := sorted(rows, key=itemgetter(*range(len(statement.key)))):
        bulk.upsert(statement, ordered)
