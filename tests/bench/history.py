"""Ended runs by the million, written straight into a database: what a server that is a year old holds."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from apps.engine.protocol.ids import new_ulid

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = "0000000000004000b000000000000000"
ACCOUNT = "0000000000004000a000000000000000"
APP = "11111111111141118111111111111111"
_FIRST_MS = 1_700_000_000_000
_CHUNK = 20_000

Row = tuple[object, ...]


def fill_history(folder: Path, runs: int) -> None:
    """Write `runs` ended runs of 20 functions, each with its event and two attempts, below `folder`."""
    database = folder / "data" / "stepwell.sqlite3"
    database.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{database}", "PYTHONPATH": "platform:."}
    subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], cwd=ROOT, env=environment, check=True)
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA synchronous=OFF")
    for start in range(0, runs, _CHUNK):
        _write(connection, range(start, min(runs, start + _CHUNK)))
    connection.close()


def _write(connection: sqlite3.Connection, numbers: range) -> None:
    tables: dict[str, list[Row]] = {table: [] for table in _COLUMNS}
    for number in numbers:
        for table, row in _rows(number):
            tables[table].append(row)
    with connection:
        for table, rows in tables.items():
            columns = _COLUMNS[table]
            marks = ", ".join("?" * len(columns.split(",")))
            connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)


_COLUMNS = {
    "events_event": "key, environment_id, account_id, internal_id, external_id, name, ts, received_at, "
    "is_internal, source",
    "events_eventpayload": "key, body",
    "events_eventoutcome": "key, environment_id, internal_id, handled_at, run_ids, resumed, cancelled, "
    "skipped, failed",
    "runs_run": "run_id, account_id, environment_id, app_id, function_id, function_version, status, "
    "queued_at, scheduled_at, started_at, ended_at, schedule_type, event_name, cron, original_run_id, "
    "skip_reason, skip_existing_run_id, cancel_reason, has_output, version",
    "runs_runevent": "run_id, position, event_id",
    "runs_runpayload": "run_id, output",
    "runs_stepattempt": "run_id, step_id, attempt, op, status, name, queued_at, started_at, ended_at, "
    "max_attempts, info",
    "runs_steppayload": "run_id, step_id, attempt, output, error, input",
}


def _rows(number: int) -> Iterator[tuple[str, Row]]:
    at = _FIRST_MS + number * 10
    event_id, run_id = new_ulid(at), new_ulid(at)
    key, function = f"0:{at}-0", f"{number % 20:032x}"
    body = f'{{"data":{{"n":{number}}},"id":"{event_id}","name":"old/event","ts":{at},"user":{{}}}}'
    yield (
        "events_event",
        (key, ENVIRONMENT, ACCOUNT, event_id, event_id, "old/event", at, at, False, "api"),
    )
    yield "events_eventpayload", (key, body)
    yield (
        "events_eventoutcome",
        (key, ENVIRONMENT, event_id, at, f'["{run_id}"]', "[]", "[]", "[]", "[]"),
    )
    times = (at, at, at + 1, at + 5)
    yield (
        "runs_run",
        (run_id, ACCOUNT, ENVIRONMENT, APP, function, 1, 300, *times, "Event", "old/event",
         "", "", "", "", "", True, at * 1000),
    )  # fmt: skip
    yield "runs_runevent", (run_id, 0, event_id)
    yield "runs_runpayload", (run_id, '{"ok":true}')
    for step in ("a" * 40, ""):
        op = "StepRun" if step else "Function"
        yield "runs_stepattempt", (run_id, step, 0, op, 400, "step", at, at + 1, at + 4, 5, "{}")
        yield "runs_steppayload", (run_id, step, 0, '{"ok":true}', None, None)
