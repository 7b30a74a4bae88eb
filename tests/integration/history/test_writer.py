"""The writer between Redis and the database: both streams, restarts, bad entries, a busy database."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import redis
from django.db import connections

from apps.engine.keys import HISTORY_GROUP, RUNNER_GROUP
from apps.engine.records import RunEnded, RunStarted
from apps.events.models import Event
from apps.runs.history.streams import dead_letters
from apps.runs.models import Run
from tests.integration.history.life import EVENT, LIFE, RUN, event, scheduled, step, stored
from tests.integration.history.running import (
    KEYS,
    add_event,
    add_records,
    entries,
    running_writer,
    unacknowledged,
    wait_for,
)


def read_as(client: "redis.Redis", consumer: str) -> None:
    """What a writer does that dies before it stores anything."""
    for name in (KEYS.history, KEYS.events):
        client.xgroup_create(name, HISTORY_GROUP, id="0", mkstream=True)
        client.xreadgroup(HISTORY_GROUP, consumer, {name: ">"})


def run_ids(alias: str) -> set[str]:
    return set(Run.objects.using(alias).values_list("run_id", flat=True))


def dead(client: "redis.Redis") -> list[dict[bytes, bytes]]:
    return [fields for _, fields in entries(client, dead_letters(KEYS))]


def test_both_streams_are_stored_and_acknowledged(
    database: str, redis_url: str, redis_client: "redis.Redis"
) -> None:
    with running_writer(redis_url, database):
        add_event(redis_client, event())
        for record in LIFE:
            add_records(redis_client, record)
        wait_for(lambda: Run.objects.using(database).filter(ended_at=1300).exists())
        wait_for(lambda: unacknowledged(redis_client) == 0)
    assert Event.objects.using(database).get().internal_id == EVENT
    assert run_ids(database) == {RUN}


def test_what_was_in_the_streams_before_the_first_start_is_stored(
    database: str, redis_url: str, redis_client: "redis.Redis"
) -> None:
    add_records(redis_client, *LIFE)
    with running_writer(redis_url, database):
        wait_for(lambda: run_ids(database) == {RUN})


def test_a_restart_begins_with_what_was_left_unfinished(
    database: str, redis_url: str, redis_client: "redis.Redis"
) -> None:
    add_records(redis_client, scheduled())
    add_event(redis_client, event())
    read_as(redis_client, "test")
    with running_writer(redis_url, database):
        wait_for(lambda: unacknowledged(redis_client) == 0)
    assert run_ids(database) == {RUN}
    assert Event.objects.using(database).count() == 1


def test_entries_of_a_consumer_that_died_are_claimed(
    database: str, redis_url: str, redis_client: "redis.Redis"
) -> None:
    entry_id = add_records(redis_client, scheduled())
    read_as(redis_client, "dead")
    redis_client.xclaim(KEYS.history, HISTORY_GROUP, "dead", 0, [entry_id], idle=60_000)
    with running_writer(redis_url, database):
        wait_for(lambda: run_ids(database) == {RUN})
        wait_for(lambda: unacknowledged(redis_client) == 0)


def test_entries_of_a_consumer_that_lives_are_left_alone(
    database: str, redis_url: str, redis_client: "redis.Redis"
) -> None:
    add_records(redis_client, scheduled())
    read_as(redis_client, "alive")
    with running_writer(redis_url, database):
        add_records(redis_client, scheduled("01OTHER"))
        wait_for(lambda: run_ids(database) == {"01OTHER"})
    assert redis_client.xpending(KEYS.history, HISTORY_GROUP)["pending"] == 1


def test_an_entry_that_was_trimmed_while_pending_is_acknowledged(
    database: str, redis_url: str, redis_client: "redis.Redis"
) -> None:
    entry_id = add_records(redis_client, scheduled())
    read_as(redis_client, "test")
    redis_client.xdel(KEYS.history, entry_id)
    with running_writer(redis_url, database):
        wait_for(lambda: unacknowledged(redis_client) == 0)
    assert run_ids(database) == set()


def test_bad_entries_are_put_aside_and_hold_up_nothing(
    database: str, redis_url: str, redis_client: "redis.Redis"
) -> None:
    redis_client.xadd(KEYS.history, {"d": b"\xc1 no msgpack"})
    redis_client.xadd(KEYS.history, {"other": b"field"})
    redis_client.xadd(KEYS.events, {"i": EVENT})
    add_records(redis_client, scheduled("01HALF"), step("s", 0, "Bogus"))
    add_records(redis_client, scheduled())
    with running_writer(redis_url, database):
        wait_for(lambda: run_ids(database) == {RUN})
        wait_for(lambda: unacknowledged(redis_client) == 0)

    letters = dead(redis_client)
    assert [letter[b"stream"].decode() for letter in letters] == [KEYS.history] * 3 + [KEYS.events]
    assert letters[0][b"field:d"] == b"\xc1 no msgpack"
    assert letters[1][b"reason"] == b"KeyError: b'd'"
    assert letters[2][b"reason"] == b"unknown status 'Bogus'"


def test_what_the_database_refuses_is_put_aside_alone(
    postgres_database: str, redis_url: str, redis_client: "redis.Redis"
) -> None:
    good = [f"01GOOD{number}" for number in range(5)]
    for run_id in [*good[:3], "x" * 27, *good[3:]]:
        add_records(redis_client, scheduled(run_id))
    with running_writer(redis_url, postgres_database):
        wait_for(lambda: unacknowledged(redis_client) == 0)

    assert set(good) <= run_ids(postgres_database)
    assert [letter[b"reason"].split(b":")[0] for letter in dead(redis_client)] == [b"DataError"]


def test_nothing_is_acknowledged_while_the_database_is_busy(
    sqlite_database: str, redis_url: str, redis_client: "redis.Redis"
) -> None:
    holder = sqlite3.connect(connections[sqlite_database].settings_dict["NAME"], isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    add_records(redis_client, scheduled("01BUSY"))
    with running_writer(redis_url, sqlite_database):
        wait_for(lambda: tries(redis_client) >= 2)
        assert redis_client.xpending(KEYS.history, HISTORY_GROUP)["pending"] == 1
        holder.execute("ROLLBACK")
        wait_for(lambda: unacknowledged(redis_client) == 0)
    holder.close()
    assert "01BUSY" in run_ids(sqlite_database)


def tries(client: "redis.Redis") -> int:
    """How often the oldest entry was given out."""
    if not client.exists(KEYS.history) or not client.xinfo_groups(KEYS.history):
        return 0
    pending = client.xpending_range(KEYS.history, HISTORY_GROUP, "-", "+", 1)
    return int(pending[0]["times_delivered"]) if pending else 0


def test_a_lost_redis_connection_is_opened_again(
    database: str, redis_url: str, redis_client: "redis.Redis"
) -> None:
    with running_writer(redis_url, database):
        add_records(redis_client, scheduled())
        wait_for(lambda: run_ids(database) == {RUN})
        redis_client.client_kill_filter(_type="normal", skipme=True)
        add_records(redis_client, RunEnded(RUN, "Failed", 9))
        wait_for(lambda: Run.objects.using(database).filter(ended_at=9).exists())


def test_streams_are_trimmed_once_every_group_has_acknowledged(
    sqlite_database: str, redis_url: str, redis_client: "redis.Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.runs.history.writer.TRIM_SECONDS", 0.1)
    redis_client.config_set("stream-node-max-entries", 1)
    try:
        redis_client.xgroup_create(KEYS.events, RUNNER_GROUP, id="0", mkstream=True)
        add_event(redis_client, event())
        for number in range(3):
            add_records(redis_client, RunStarted(RUN, number))
        with running_writer(redis_url, sqlite_database):
            wait_for(lambda: unacknowledged(redis_client) == 0)
            add_records(redis_client, RunStarted(RUN, 9))
            wait_for(lambda: redis_client.xlen(KEYS.history) == 0)
        assert redis_client.xlen(KEYS.events) == 1  # the runner has not read it yet
    finally:
        redis_client.config_set("stream-node-max-entries", 100)


CRASHING = """
import asyncio, django
django.setup()
from apps.runs.history.writer import HistoryWriter
asyncio.run(HistoryWriter(redis_url={url!r}, shard="0", consumer="test").run(asyncio.Event()))
"""


def test_a_crash_between_commit_and_acknowledgement_repeats_without_doubling(
    sqlite_database: str, redis_url: str, redis_client: "redis.Redis"
) -> None:
    add_records(redis_client, *LIFE)
    root = Path(__file__).resolve().parents[3]
    environment = {
        **os.environ,
        "PYTHONPATH": f"{root / 'platform'}:{root}",
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "DATABASE_URL": f"sqlite:///{connections[sqlite_database].settings_dict['NAME']}",
        "STEPWELL_CRASH_AT": "history_written",
    }
    crashed = subprocess.run(
        [sys.executable, "-c", CRASHING.format(url=redis_url)], check=False, env=environment, timeout=60
    )
    assert crashed.returncode == -signal.SIGKILL
    before = stored(sqlite_database)
    assert [row["run_id"] for row in before["runs"]] == [RUN]
    assert redis_client.xpending(KEYS.history, HISTORY_GROUP)["pending"] == 1

    with running_writer(redis_url, sqlite_database):
        wait_for(lambda: unacknowledged(redis_client) == 0)
    assert json.dumps(stored(sqlite_database), default=str) == json.dumps(before, default=str)
