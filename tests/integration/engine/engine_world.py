"""Engine, runner and timers on a real server under a clock that the test moves, without any process."""

from dataclasses import dataclass
from typing import TypeVar

import msgspec

from apps.engine import clock
from apps.engine.engine import Engine
from apps.engine.event_stream import EventContext, EventEntry, parse_entry
from apps.engine.flow.policy import FlowPolicy
from apps.engine.functions import CancelRule, FunctionSpec, Trigger
from apps.engine.keys import RUNNER_GROUP, Keys
from apps.engine.protocol import ids
from apps.engine.records import AnyRecord, EventHandled, decode_records
from apps.engine.runner.incoming import Incoming
from apps.engine.runner.service import Runner
from apps.engine.store.client import RedisClient
from apps.engine.store.functions import FunctionCache
from apps.engine.store.queue import Commit, Leased, Queue
from apps.engine.store.views import Item
from apps.engine.timers.service import TimerService

KEYS = Keys("0")
# Behind the server's own clock, which gives entries of streams their ids.
START_MS = 1_760_000_000_000

LIVE_KINDS = {
    *("run", "memo", "stack", "pending", "racing", "seen", "jobs", "rp", "defer", "rt"),
    *("i", "h", "timers", "leases", "p", "px", "pb", "pn", "sig", "once"),
}

AnyKind = TypeVar("AnyKind", bound=AnyRecord)


def function(function_id: str, *events: str, **changes: object) -> FunctionSpec:
    """A function `app-<id>` with a trigger on each of the events."""
    spec = FunctionSpec(
        id=function_id,
        slug=f"app-{function_id}",
        name=function_id,
        app_id="app-id",
        app_name="app",
        env_id="env",
        account_id="acc",
        version=1,
        url="http://127.0.0.1:1/api?fnId=x&stepId=step",
        triggers=tuple(Trigger(event) for event in events),
    )
    return msgspec.structs.replace(spec, **changes)


def cancel_on(event: str, expression: str = "", timeout: str = "") -> tuple[CancelRule, ...]:
    return (CancelRule(event, expression, timeout),)


@dataclass
class EngineWorld:
    engine: Engine
    runner: Runner
    timers: TimerService
    now: int = START_MS

    @property
    def client(self) -> RedisClient:
        return self.engine.client

    @property
    def queue(self) -> Queue:
        return self.engine.queue

    def advance(self, ms: int) -> None:
        self.now += ms

    async def publish(self, *specs: FunctionSpec) -> None:
        await self.engine.publish_functions(specs)

    async def send(
        self,
        name: str,
        data: object = None,
        *,
        event_id: str = "",
        env: str = "env",
        ts: int | None = None,
        context: EventContext | None = None,
        internal_id: str = "",
    ) -> str:
        """Add one event to the stream; returns its internal id."""
        internal_id = internal_id or ids.new_ulid(self.now)
        body = msgspec.json.encode(
            {
                "data": {} if data is None else data,
                "id": event_id or internal_id,
                "name": name,
                "ts": self.now if ts is None else ts,
                "user": {},
            }
        )
        context = context or EventContext(remember=bool(event_id))
        await self.engine.append_events([EventEntry(internal_id, env, "acc", name, body, context)])
        return internal_id

    async def read(self, start: str = ">") -> list[Incoming]:
        """What the runner would read next, as its own consumer."""
        reply = await self.client.execute(
            "XREADGROUP", "GROUP", RUNNER_GROUP, "runner", "COUNT", 1000, "STREAMS", KEYS.events, start
        )
        return [Incoming(stream_id, fields) for stream_id, fields in reply[0][1]] if reply else []

    async def handle(self) -> list[EventHandled]:
        """Let the runner handle one batch; what it recorded, in the order of the entries."""
        seen = len(await self.records(EventHandled))
        if batch := await self.read():
            await self.runner.handle(batch)
        return (await self.records(EventHandled))[seen:]

    async def handle_all(self) -> list[EventHandled]:
        """Handle batches until none is left: also what handling itself has sent."""
        handled: list[EventHandled] = []
        while found := await self.handle():
            handled += found
        return handled

    async def records(self, kind: type[AnyKind]) -> list[AnyKind]:
        entries = await self.client.execute("XRANGE", KEYS.history, "-", "+")
        found: list[AnyRecord] = [record for _, fields in entries for record in decode_records(fields[1])]
        return [record for record in found if isinstance(record, kind)]

    async def events(self, name: str = "") -> list[EventEntry]:
        """All entries of the event stream, or those of one name."""
        entries = await self.client.execute("XRANGE", KEYS.events, "-", "+")
        parsed = [parse_entry({flat[i]: flat[i + 1] for i in range(0, len(flat), 2)}) for _, flat in entries]
        return [entry for entry in parsed if not name or entry.name == name]

    async def pending(self) -> int:
        reply = await self.client.execute("XPENDING", KEYS.events, RUNNER_GROUP)
        return int(reply[0])

    async def lease(self, count: int = 20) -> list[Leased]:
        return (await self.queue.lease(count)).leased

    async def lease_one(self) -> Leased:
        (leased,) = await self.lease(1)
        return leased

    async def commit(self, item: Item, *operations: str | int | bytes, version: int | None = None) -> str:
        result = await self.queue.commit(Commit(item, list(operations), request_version=version))
        return result.outcome

    async def start_waiting(self, *operations: str | int | bytes, version: int = 2) -> str:
        """Lease the next run and let its first answer do `operations`; returns its id."""
        item, _ = await self.lease_one()
        filled = [item.run_id + part[4:] if isinstance(part, str) and part[:4] == "$RUN" else part
                  for part in operations]  # fmt: skip
        assert await self.commit(item, *filled, version=version) == "ok"
        return item.run_id

    async def memos(self, run_id: str) -> dict[str, bytes] | None:
        state = await self.queue.state(run_id)
        return None if state is None else state.memos

    async def live_keys(self) -> set[str]:
        """The keys of runs, items, pauses, timers, leases and slots."""
        names = {
            key.decode().removeprefix(KEYS.prefix + ":") for key in await self.client.execute("KEYS", "*")
        }
        return {name for name in names if name.partition(":")[0] in LIVE_KINDS}


async def open_world(url: str) -> EngineWorld:
    engine = await Engine.connect(url, "0", FlowPolicy(account_concurrency=100_000))
    queue = Queue(engine.client, KEYS.prefix)
    await queue.library.load()
    runner = Runner(queue, FunctionCache(engine.client, KEYS), KEYS)
    timers = TimerService(queue, FunctionCache(engine.client, KEYS))
    await engine.client.execute("XGROUP", "CREATE", KEYS.events, RUNNER_GROUP, "0", "MKSTREAM")
    world = EngineWorld(engine, runner, timers)
    clock.set_time_source(lambda: world.now / 1000)
    return world


def wait(
    event: str, *, expires: int, bucket: str = "*", path: str = "*", step: str = "w"
) -> list[str | int | bytes]:
    """The operation W of a wait without an expression, or one that its bucket covers."""
    return ["W", step, f"$RUN.{step}", event, "", bucket, path, "1", expires, "0"]
