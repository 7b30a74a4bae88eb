"""Runs a history writer in a thread of its own, as the scheduler does in its loop."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import redis

from apps.engine.event_stream import EventEntry, entry_fields
from apps.engine.keys import HISTORY_GROUP, Keys
from apps.engine.records import AnyRecord, encode_records
from apps.runs.history.database import HistoryDatabase
from apps.runs.history.hints import Hints, NoListeners
from apps.runs.history.writer import HistoryWriter

SHARD = "0"
KEYS = Keys(SHARD)


class Recorder:
    """Stands in for a Channels layer."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, object]]] = []

    async def group_send(self, group: str, message: dict[str, object]) -> None:
        self.sent.append((group, message))


def silent(database: HistoryDatabase) -> Hints:
    return Hints(Recorder(), NoListeners(), database.environments)


@contextmanager
def running_writer(
    redis_url: str,
    alias: str,
    consumer: str = "test",
    hints: Callable[[HistoryDatabase], Hints] = silent,
) -> Iterator[None]:
    """The writer works while the block runs; ends with an error if it does not stop at once."""
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    failures: list[BaseException] = []

    async def work() -> None:
        await HistoryWriter(
            redis_url=redis_url, shard=SHARD, consumer=consumer, using=alias, hints=hints
        ).run(stop)

    def body() -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: loop) as runner:
                runner.run(work())
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=body)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(timeout=5)
    assert not thread.is_alive()
    assert failures == []


def wait_for(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.01)


def add_records(client: "redis.Redis", *records: AnyRecord) -> bytes:
    return cast("bytes", client.xadd(KEYS.history, {"d": encode_records(records)}))


def add_event(client: "redis.Redis", entry: EventEntry) -> bytes:
    flat = entry_fields(entry)
    return cast("bytes", client.xadd(KEYS.events, dict(zip(flat[::2], flat[1::2], strict=True))))


def unacknowledged(client: "redis.Redis") -> int:
    """Entries of both streams that the writer's group has not read or not acknowledged."""
    return sum(_unacknowledged(client, name) for name in (KEYS.history, KEYS.events))


def _unacknowledged(client: "redis.Redis", stream: str) -> int:
    for group in client.xinfo_groups(stream) if client.exists(stream) else []:
        if group["name"] == HISTORY_GROUP.encode():
            return int(group["pending"]) + int(group["lag"] or 0)
    return client.xlen(stream)


def entries(client: "redis.Redis", stream: str) -> list[tuple[bytes, dict[bytes, bytes]]]:
    """All entries of a stream, oldest first."""
    return cast("list[tuple[bytes, dict[bytes, bytes]]]", client.xrange(stream))
