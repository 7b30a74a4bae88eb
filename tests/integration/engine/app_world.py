"""A whole engine in the test's own loop, and an app of the test's own that answers its calls."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec
from aiohttp import web

from apps.engine import clock
from apps.engine.calls.addresses import AddressPolicy
from apps.engine.calls.app_client import AppClient
from apps.engine.engine import Engine
from apps.engine.event_stream import EventContext, EventEntry
from apps.engine.executor.drive import Driver
from apps.engine.executor.history import HistoryBuffer
from apps.engine.executor.server_steps import ServerStepRunner
from apps.engine.executor.service import Executor
from apps.engine.executor.tracker import Tracker
from apps.engine.functions import FunctionSpec
from apps.engine.keys import Keys
from apps.engine.protocol import ids
from apps.engine.records import AnyRecord, RunEnded, StepRecorded, decode_records
from apps.engine.runner.service import Runner
from apps.engine.services import Service, run_services
from apps.engine.store.client import RedisClient, RedisUnavailable
from apps.engine.store.functions import FunctionCache
from apps.engine.store.queue import LEASE_MS, Queue
from apps.engine.store.requests import RerunRequest
from apps.engine.timers.service import TimerService
from tests.integration.engine.engine_world import LIVE_KINDS, function

KEYS = Keys("0")
SDK_HEADERS = {"X-Inngest-SDK": "test:v1", "X-Inngest-Req-Version": "2"}
DEADLINE_SECONDS = 20


@dataclass
class Call:
    """One call request as the app saw it."""

    function: str
    step_id: str
    body: dict[str, object]
    headers: dict[str, str]

    @property
    def steps(self) -> dict[str, object]:
        return self._object("steps")

    @property
    def ctx(self) -> dict[str, object]:
        return self._object("ctx")

    @property
    def stack(self) -> object:
        return self.ctx["stack"]

    @property
    def run_id(self) -> str:
        return str(self.ctx["run_id"])

    def _object(self, name: str) -> dict[str, object]:
        found = self.body[name]
        assert isinstance(found, dict)
        return found


Handler = Callable[[Call], "web.Response | Awaitable[web.Response]"]


def ops(*found: Mapping[str, object], **headers: str) -> web.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return web.Response(status=206, body=msgspec.json.encode(found), headers=SDK_HEADERS | named)


def result(value: object) -> web.Response:
    return web.Response(status=200, body=msgspec.json.encode(value), headers=SDK_HEADERS)


def error(message: str, *, no_retry: bool = False, status: int = 500, **headers: str) -> web.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = msgspec.json.encode({"name": "Error", "message": message})
    named["X-Inngest-No-Retry"] = "true" if no_retry else "false"
    return web.Response(status=status, body=body, headers=SDK_HEADERS | named)


def step(step_id: str, data: object = None) -> dict[str, object]:
    return {"op": "StepRun", "id": step_id, "name": step_id, "data": data}


def plan(step_id: str) -> dict[str, object]:
    return {"op": "StepPlanned", "id": step_id, "name": step_id}


@dataclass
class AppWorld:
    url: str
    redis_url: str
    engine: Engine
    handlers: dict[str, Handler] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def publish(self, function_id: str, handler: Handler, **changes: object) -> FunctionSpec:
        """A function on the event app/<id> that the app answers by `handler`."""
        self.handlers[function_id] = handler
        url = f"{self.url}/api?fnId={function_id}&stepId=step"
        spec = function(function_id, f"app/{function_id}", url=url, **changes)
        await self.engine.publish_functions([spec])
        return spec

    async def send(self, name: str, data: object = None) -> str:
        now = clock.now_ms()
        internal_id = ids.new_ulid(now)
        body = msgspec.json.encode(
            {"data": data or {}, "id": internal_id, "name": name, "ts": now, "user": {}}
        )
        await self.engine.append_events([EventEntry(internal_id, "env", "acc", name, body, EventContext())])
        return internal_id

    async def start(self, function_id: str) -> str:
        """A run of the function that waits for a worker, without a runner; its id."""
        event = b'{"data":{},"id":"e","name":"app/x","ts":1,"user":{}}'
        request = RerunRequest("env", function_id, [event], ["01E"], ["app/x"], "")
        return await self.engine.rerun(request)

    async def records(self) -> list[AnyRecord]:
        entries = await self.engine.client.execute("XRANGE", KEYS.history, "-", "+")
        return [record for _, fields in entries for record in decode_records(fields[1])]

    async def ended(self, count: int = 1) -> list[RunEnded]:
        """The first ends of runs, once there are so many."""
        found: list[RunEnded] = []

        async def enough() -> bool:
            found[:] = [record for record in await self.records() if isinstance(record, RunEnded)]
            return len(found) >= count

        await eventually(enough)
        return found

    async def run_to_end(self, function_id: str, data: object = None) -> RunEnded:
        """The end of a run of the function, which is the first."""
        await self.send(f"app/{function_id}", data)
        return (await self.ended())[0]

    async def steps_of(self, run_id: str) -> list[tuple[str, int, str]]:
        """(step, attempt, status) of the run's records that say how something came out, in order."""
        return [
            (record.step_id, record.attempt, record.status)
            for record in await self.records()
            if isinstance(record, StepRecorded) and record.run_id == run_id and record.ended_at
        ]

    async def left_over(self) -> set[str]:
        """Keys that a platform without live runs must not have."""
        keys = await self.engine.client.execute("KEYS", "*")
        names = [key.decode().removeprefix(f"{KEYS.prefix}:") for key in keys]
        return {name for name in names if name.partition(":")[0] in LIVE_KINDS}


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            try:
                if await holds():
                    return
            except RedisUnavailable:
                pass
            await asyncio.sleep(0.01)


def make_executor(
    client: RedisClient,
    *,
    capacity: int = 50,
    grace_seconds: float = 1.0,
    signing_key: str = "",
    lease_ms: int = LEASE_MS,
) -> Executor:
    queue = Queue(client, KEYS.prefix, lease_ms=lease_ms)
    functions = FunctionCache(client, KEYS)
    app_client = AppClient(AddressPolicy(allow_private=True))
    history = HistoryBuffer(client, KEYS)
    server_steps = ServerStepRunner(app_client.transport)

    async def key_of(env_id: str) -> str:
        return signing_key

    driver = Driver(queue, functions, app_client, history, server_steps, shard="0", signing_key=key_of)
    return Executor(
        queue, functions, driver, Tracker(), history, capacity=capacity, grace_seconds=grace_seconds
    )


def make_services(client: RedisClient, executor: Executor) -> list[Service]:
    queue = Queue(client, KEYS.prefix)
    return [
        executor,
        Runner(queue, FunctionCache(client, KEYS), KEYS),
        TimerService(queue, FunctionCache(client, KEYS)),
    ]


@asynccontextmanager
async def serving(world: AppWorld) -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.Response:
        call = Call(
            request.query["fnId"], request.query["stepId"], await request.json(), dict(request.headers)
        )
        world.calls.append(call)
        answered = world.handlers[call.function](call)
        return answered if isinstance(answered, web.Response) else await answered

    application = web.Application(client_max_size=16 * 1024 * 1024)
    application.router.add_post("/api", answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def running(world: AppWorld, executor: Executor) -> AsyncIterator[None]:
    """The engine's services at work; they are stopped at the end."""
    task = asyncio.ensure_future(run_services(make_services(world.engine.client, executor), world.stop))
    try:
        yield
    finally:
        world.stop.set()
        await asyncio.wait_for(task, DEADLINE_SECONDS)


@asynccontextmanager
async def open_app_world(redis_url: str) -> AsyncIterator[AppWorld]:
    """The app and an engine without services."""
    world = AppWorld("", redis_url, await Engine.connect(redis_url, "0"))
    await world.engine.queue.library.load()
    try:
        async with serving(world) as url:
            world.url = url
            yield world
    finally:
        await world.engine.close()
