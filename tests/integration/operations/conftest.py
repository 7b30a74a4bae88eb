"""Two synced functions on a real engine, without any process: the tests lease and walk themselves."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from apps.engine import clock
from apps.engine.bridge import engine_call
from apps.engine.control import LiveRun
from apps.engine.engine import Engine
from apps.engine.keys import RUNNER_GROUP
from apps.engine.records import RunEnded, decode_records
from apps.engine.store.queue import Commit, Leased
from apps.engine.store.requests import RerunRequest
from apps.engine.store.views import Item
from apps.registry.models import Function
from apps.tenancy.models import DEV_ENVIRONMENT_ID, Environment
from tests.unit.registry.bodies import function, register_body

# Each test has an hour of its own: ids of a process rise, also where its clock is set back a little.
# All are behind the server's own clock, which dates the entries of streams.
_hours = itertools.count(1_760_000_000_000, 3_600_000)


@dataclass
class OperationsWorld:
    environment: Environment
    now: int = field(default_factory=lambda: next(_hours))

    def advance(self, ms: int) -> None:
        self.now += ms

    def function_id(self, slug: str = "shop-f") -> UUID:
        return Function.objects.get(slug=slug).id

    def start(self, data: bytes = b"{}", slug: str = "shop-f") -> str:
        """A run that waits for a worker; its id."""
        event = b'{"data":%b,"id":"e","name":"a","ts":1,"user":{}}' % data
        request = RerunRequest(
            str(self.environment.id), str(self.function_id(slug)), [event], ["01E"], ["a"], ""
        )
        return engine_call(lambda engine: engine.rerun(request))

    def live(self, slug: str = "shop-f") -> list[str]:
        env_id, function_id = str(self.environment.id), str(self.function_id(slug))

        async def read(engine: Engine) -> list[LiveRun]:
            return await engine.live_runs(env_id, function_id, LiveRun(0, ""), 2**53, 1000)

        return [run.run_id for run in engine_call(read)]

    def lease(self) -> list[Leased]:
        return engine_call(lambda engine: engine.queue.lease(20)).leased

    def commit(self, item: Item, *operations: str | int | bytes) -> str:
        commit = Commit(item, list(operations), request_version=2)
        return engine_call(lambda engine: engine.queue.commit(commit)).outcome

    def ended(self) -> dict[str, tuple[str, str]]:
        """(status, reason) of each run that has ended."""

        async def read(engine: Engine) -> list[tuple[bytes, list[bytes]]]:
            entries: list[tuple[bytes, list[bytes]]] = await engine.client.execute(
                "XRANGE", engine.keys.history, "-", "+"
            )
            return entries

        records = [record for _, fields in engine_call(read) for record in decode_records(fields[1])]
        ends = [record for record in records if isinstance(record, RunEnded)]
        return {end.run_id: (end.status, end.reason) for end in ends}


@pytest.fixture
def world(
    transactional_db: None, client: Client, settings: Settings, redis_url: str
) -> Iterator[OperationsWorld]:
    settings.REDIS_URL = redis_url
    body = register_body(function("shop-f"), function("shop-g"))
    assert client.post("/fn/register", body, content_type="application/json").status_code == 200
    world = OperationsWorld(Environment.objects.get(id=DEV_ENVIRONMENT_ID))
    clock.set_time_source(lambda: world.now / 1000)
    yield world
    clock.set_time_source(None)


@pytest.fixture
def stranger(world: OperationsWorld) -> Environment:
    return Environment.objects.create(account=world.environment.account, name="other", slug="other")


async def add_runner_group(engine: Engine) -> None:
    await engine.client.execute("XGROUP", "CREATE", engine.keys.events, RUNNER_GROUP, "$", "MKSTREAM")
