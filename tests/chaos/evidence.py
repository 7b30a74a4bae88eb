"""Reads what a platform holds: its history in SQLite, its queue in Valkey, its answers over REST."""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import redis

from apps.engine.protocol.ids import ulid_time_ms
from tests.chaos.app.functions import APP
from tests.chaos.story import RunRow

PREFIX = "{q:0}:"
# Valkey may be away, or stand still. Meanwhile there is nothing to know.
AWAY = (redis.ConnectionError, redis.TimeoutError)
_PATIENCE_SECONDS = 0.5

# What a platform at rest may hold; every other key of the shard belongs to work that has not ended.
_LASTING = (
    "n:",
    "idem:",
    "alive:",
    "functions",
    "seq",
    "events",
    "history",
    "owner:",
    "wake",
    "tick",
    "epoch",
    "counters",
    "processes",
)
_STREAMS = {"events": {"runner", "history"}, "history": {"history"}}

_RUNS = """
    SELECT run.run_id, function.slug, run.status, event.event_id, payload.output,
           run.queued_at, run.started_at, run.ended_at
    FROM runs_run AS run
    LEFT JOIN registry_function AS function ON function.id = run.function_id
    LEFT JOIN runs_runevent AS event ON event.run_id = run.run_id AND event.position = 0
    LEFT JOIN runs_runpayload AS payload ON payload.run_id = run.run_id
"""
_EVENTS = """
    SELECT event.internal_id, event.received_at, outcome.key IS NOT NULL
    FROM events_event AS event LEFT JOIN events_eventoutcome AS outcome ON outcome.key = event.key
"""
_HANDLED = "SELECT handled_at FROM events_eventoutcome"
_STATUS = {0: "Unknown", 100: "Scheduled", 200: "Running", 300: "Completed", 400: "Failed", 500: "Cancelled"}


def runs(database: Path) -> list[RunRow]:
    return [_run_row(row) for row in _select(database, _RUNS)]


def open_queue(url: str) -> "redis.Redis":
    return redis.Redis.from_url(url, socket_timeout=_PATIENCE_SECONDS)


def oldest_unwritten(queue: "redis.Redis") -> float:
    """When the oldest entry came that the history writer has not stored, in seconds since the epoch; now, if
    it has stored all."""
    oldest = time.time()
    for stream in ("{q:0}:events", "{q:0}:history"):
        first = queue.xpending(stream, "history")["min"]
        if first is None:
            groups = {group["name"]: group["last-delivered-id"] for group in queue.xinfo_groups(stream)}
            following = queue.xrange(stream, min=b"(" + groups[b"history"], count=1)
            first = following[0][0] if following else None
        if first is not None:
            oldest = min(oldest, int(first.split(b"-")[0]) / 1000)
    return oldest


class EventRow(NamedTuple):
    """An entry of the event stream in history; `at` is in seconds since the epoch."""

    id: str
    at: float
    has_outcome: bool


def events(database: Path) -> list[EventRow]:
    return [EventRow(i, at / 1000, bool(outcome)) for i, at, outcome in _select(database, _EVENTS)]


def handled_at(database: Path) -> list[float]:
    """The times, in seconds since the epoch, at which the runner decided about an event."""
    return [moment / 1000 for (moment,) in _select(database, _HANDLED)]


def leftovers(client: "redis.Redis") -> list[str]:
    """Keys of work that has not ended, and streams that somebody has not read to their end."""
    keys = (key.decode().removeprefix(PREFIX) for key in client.scan_iter(match=f"{PREFIX}*", count=1000))
    found = [key for key in keys if not key.startswith(_LASTING)]
    for stream, groups in _STREAMS.items():
        found += _unread(client, stream, groups)
    if dead := client.xlen(f"{PREFIX}history:dead"):
        found.append(f"{dead} dead letters")
    return sorted(found)


def waiting_runs(client: "redis.Redis") -> set[str]:
    """The runs that wait for an event now; functions that wait have one such step, "go"."""
    pauses = client.scan_iter(match=f"{PREFIX}p:*.go", count=1000)
    return {key.decode().removeprefix(f"{PREFIX}p:").removesuffix(".go") for key in pauses}


async def event_runs(client: httpx.AsyncClient, event_id: str) -> list[tuple[str, str]]:
    """(id, status) of each run that GET /v1/events/{id}/runs tells of."""
    answer = await client.get(f"/v1/events/{event_id}/runs")
    assert answer.status_code == 200, answer.text
    return [(run["run_id"], run["status"]) for run in answer.json()["data"]]


def _unread(client: "redis.Redis", stream: str, expected: set[str]) -> Iterator[str]:
    """A lag is None where Valkey cannot tell, so that the ids are compared."""
    last = client.xinfo_stream(f"{PREFIX}{stream}")["last-generated-id"]
    groups = {group["name"].decode(): group for group in client.xinfo_groups(f"{PREFIX}{stream}")}
    for name in sorted(expected | groups.keys()):
        group = groups.get(name)
        if group is None:
            yield f"{stream} has no group {name}"
        elif group["pending"] or group["last-delivered-id"] != last:
            yield f"{stream} is read by {name} up to {group['last-delivered-id']}, {group['pending']} pending"


def _select(database: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=20)) as connection:
        return connection.execute(query).fetchall()


def _run_row(row: tuple[Any, ...]) -> RunRow:
    run_id, slug, status, event, output, queued_at, started_at, ended_at = row
    times = (queued_at or ulid_time_ms(run_id), started_at or 0, ended_at or 0)
    return RunRow(
        run_id,
        (slug or "").removeprefix(f"{APP}-"),
        _STATUS.get(status, str(status)),
        event or "",
        json.loads(output or "{}"),
        *(moment / 1000 for moment in times),
    )
