"""A platform that is stopped in the middle of its work, emptied, and started again on its history."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from uuid import UUID, uuid5

import msgspec
from aiohttp import web

from apps.engine import clock
from apps.engine.event_stream import EventContext, EventEntry
from apps.engine.flow.policy import DEFAULT_POLICY
from apps.engine.functions import FunctionSpec
from apps.engine.protocol import ids
from apps.engine.records import RunEnded
from apps.engine.services import Service, run_services
from apps.runs.choices import RunStatus
from apps.runs.history.writer import HistoryWriter
from apps.runs.models import Run
from apps.runs.recovery.drained import wait_until_drained
from apps.runs.recovery.reading import History
from apps.runs.recovery.rebuild import Rebuilder, Report
from apps.runs.recovery.thread import DatabaseThread
from tests.integration.engine.app_world import (
    KEYS,
    AppWorld,
    Call,
    eventually,
    make_executor,
    make_services,
    open_app_world,
)
from tests.integration.history.running import silent

ENV = "00000000-0000-4000-b000-000000000000"
ACCOUNT = "00000000-0000-4000-a000-000000000000"
APP = "00000000-0000-4000-8000-000000000000"

Answer = Callable[[Call], web.Response | Awaitable[web.Response]]


def function_id(name: str) -> str:
    return str(uuid5(UUID(APP), name))


@dataclass
class RecoveryWorld:
    """`executed` counts how often the app has executed each step of each function, by (function, step)."""

    app: AppWorld
    using: str
    database: DatabaseThread
    specs: list[FunctionSpec] = field(default_factory=list)
    executed: Counter[tuple[str, str]] = field(default_factory=Counter)

    async def publish(self, name: str, handler: Answer, **changes: object) -> FunctionSpec:
        """The function `app-<name>` on the event app/<name>."""
        changes = {"slug": f"app-{name}", "env_id": ENV, "account_id": ACCOUNT, "app_id": APP, **changes}
        spec = await self.app.publish(function_id(name), handler, **changes)
        spec = msgspec.structs.replace(spec, triggers=(type(spec.triggers[0])(f"app/{name}"),))
        await self.app.engine.publish_functions([spec])
        self.specs.append(spec)
        return spec

    async def send(self, name: str, data: object = None, **context: object) -> str:
        now = clock.now_ms()
        internal_id = ids.new_ulid(now)
        event = {"data": data or {}, "id": internal_id, "name": name, "ts": now, "user": {}}
        entry = EventEntry(
            internal_id,
            ENV,
            ACCOUNT,
            name,
            msgspec.json.encode(event),
            EventContext(**context),  # type: ignore[arg-type]
        )
        await self.app.engine.append_events([entry])
        return internal_id

    @asynccontextmanager
    async def at_work(self, *more: Service) -> AsyncIterator[None]:
        """The engine's services and the history writer. What is in flight at the end is given up."""
        executor = make_executor(self.app.engine.client, grace_seconds=0.05)
        services = [*make_services(self.app.engine.client, executor), *more]
        async with running([self.writer()]), running(services):
            yield

    def writer(self) -> HistoryWriter:
        return HistoryWriter(redis_url=self.app.redis_url, shard="0", using=self.using, hints=silent)

    async def drain(self) -> None:
        """Let history learn all that the queue has told it."""
        async with running([self.writer()]):
            await wait_until_drained(self.app.engine.client, KEYS)
            await wait_until_drained(self.app.engine.client, _EventsAsHistory())  # type: ignore[arg-type]

    async def flush(self) -> None:
        """Everything in Redis is gone; the functions are published, as a scheduler does at its start."""
        await self.app.engine.client.execute("FLUSHALL")
        await self.app.engine.restore_functions(self.specs)

    async def rebuild(self, *, dry_run: bool = False, was_emptied: bool = False) -> Report:
        history = History("0", self.using)
        rebuilder = Rebuilder(self.app.engine, history, self.database, DEFAULT_POLICY)
        async with running([self.writer()]):
            return await rebuilder.rebuild(dry_run=dry_run, was_emptied=was_emptied)

    async def rows(self) -> list[Run]:
        return await self.database.read(lambda: list(Run.objects.using(self.using).order_by("queued_at")))

    async def all_end(self, count: int, status: RunStatus = RunStatus.COMPLETED) -> list[Run]:
        """The runs in history once there are so many, and all have ended that way."""

        async def holds() -> bool:
            rows = await self.rows()
            return len(rows) == count and all(row.has_ended for row in rows)

        with suppress(TimeoutError):
            await eventually(holds)
        rows = await self.rows()
        assert [(row.event_name, RunStatus(row.status).name) for row in rows] == [
            (row.event_name, status.name) for row in rows
        ]
        assert len(rows) == count
        return rows

    async def ends(self) -> list[RunEnded]:
        return [record for record in await self.app.records() if isinstance(record, RunEnded)]


class _EventsAsHistory:
    history = KEYS.events


@asynccontextmanager
async def running(services: Sequence[Service]) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.ensure_future(run_services(services, stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, 20)


@asynccontextmanager
async def open_recovery_world(redis_url: str, using: str) -> AsyncIterator[RecoveryWorld]:
    async with open_app_world(redis_url) as app:
        database = DatabaseThread(using)
        try:
            yield RecoveryWorld(app, using, database)
        finally:
            await database.close()
