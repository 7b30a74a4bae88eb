"""What the tests of the intake share: floods of events, an intake that reads ahead, and waits for either."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from apps.engine.event_stream import EventContext, EventEntry
from apps.engine.functions import FunctionSpec
from apps.engine.runner.incoming import Incoming
from apps.engine.runner.intake import LIMITS, Intake, Limits
from apps.engine.runner.ownership import Ownership
from apps.engine.runner.service import Runner
from apps.engine.store.functions import FunctionCache
from apps.engine.store.queue import Queue
from tests.integration.engine.engine_world import KEYS, EngineWorld, function

Place = tuple[str, str, str]
A: Place = ("acc", "env", "app/a")


async def flood(world: EngineWorld, count: int, place: Place = A, size: int = 0, start: int = 0) -> None:
    """Add events whose internal ids are their numbers and whose bodies have about `size` bytes."""
    account_id, env_id, name = place
    body = b'{"data":{"pad":"' + b"x" * size + b'"},"name":"' + name.encode() + b'"}'
    numbers = range(start, start + count)
    await world.engine.append_events(
        [EventEntry(str(number), env_id, account_id, name, body, EventContext()) for number in numbers]
    )


@asynccontextmanager
async def reading(world: EngineWorld, limits: Limits = LIMITS) -> AsyncIterator[Intake]:
    """An intake that reads ahead, without a runner."""
    functions, reader = FunctionCache(world.client, KEYS), world.client.clone()
    await functions.refresh()
    ownership = Ownership(world.client, f"{KEYS.prefix}:owner:test")
    assert await ownership.acquire()
    intake = Intake(world.client, reader, KEYS, functions, ownership, limits)
    stop = asyncio.Event()
    task = asyncio.ensure_future(intake.read(stop))
    try:
        yield intake
    finally:
        stop.set()
        await task
        await reader.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while not condition():
            await asyncio.sleep(0.002)


async def until_none_is_pending(world: EngineWorld) -> None:
    async with asyncio.timeout(30):
        while await undone(world):
            await asyncio.sleep(0.01)


async def undone(world: EngineWorld) -> int:
    """Entries that the runner's group has not acknowledged."""
    (group,) = await world.client.execute("XINFO", "GROUPS", KEYS.events)
    facts = dict(zip(group[::2], group[1::2], strict=True))
    return int(facts[b"pending"]) + int(facts[b"lag"])


async def take_all(intake: Intake) -> list[Incoming]:
    taken: list[Incoming] = []
    while intake.held:
        taken += (await intake.take())[0]
    return taken


def numbers(batch: list[Incoming], place: Place = A) -> list[int]:
    account_id, env_id, name = place
    return [
        int(incoming.entry.internal_id)
        for incoming in batch
        if (incoming.entry.account_id, incoming.entry.env_id, incoming.entry.name)
        == (account_id, env_id, name)
    ]


def another_runner(world: EngineWorld) -> Runner:
    return Runner(Queue(world.client, KEYS.prefix), FunctionCache(world.client, KEYS), KEYS)


@asynccontextmanager
async def running(runner: Runner) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.ensure_future(runner.run(stop))
    try:
        yield
    finally:
        stop.set()
        await task


def both() -> list[FunctionSpec]:
    return [function("a", "app/a"), function("b", "app/b")]
