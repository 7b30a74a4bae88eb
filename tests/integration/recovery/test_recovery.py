"""A scheduler that finds Redis empty rebuilds the queue by itself; history and queue are compared."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator

import pytest

from apps.engine import clock
from apps.engine.flow.policy import DEFAULT_POLICY
from apps.engine.keys import Keys
from apps.engine.recovery.epoch import AfterRecovery, Epoch
from apps.engine.services import run_services
from apps.engine.store.functions import FunctionCache
from apps.runs.choices import RunStatus, StepStatus
from apps.runs.models import Run, StepAttempt
from apps.runs.recovery import service as recovery_service
from apps.runs.recovery.reading import History
from apps.runs.recovery.reconciling import SETTLED_MS, Reconciler
from apps.runs.recovery.restoring import RunRestorer
from apps.runs.recovery.service import Recovery
from tests.integration.engine.app_world import eventually
from tests.integration.recovery.recovery_world import RecoveryWorld
from tests.integration.recovery.test_rebuild import assert_healthy, nap, reached, scripted, wait

KEYS = Keys("0")


@pytest.fixture(autouse=True)
def no_settling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery_service, "SETTLE_SECONDS", 0.5)


@pytest.fixture
def system_clock() -> Iterator[None]:
    """The test may move the clock."""
    yield
    clock.set_time_source(None)


def move_clock(ms: int) -> None:
    later = clock.now_ms() + ms
    clock.set_time_source(lambda: later / 1000)


def recovery_of(world: RecoveryWorld) -> Recovery:
    loop = asyncio.get_running_loop()

    def publish() -> None:
        asyncio.run_coroutine_threadsafe(world.app.engine.restore_functions(world.specs), loop).result(10)

    return Recovery(world.app.engine.client, "0", DEFAULT_POLICY, publish, using=world.using)


async def has_epoch(world: RecoveryWorld) -> bool:
    return await Epoch(world.app.engine.client, KEYS).is_set()


async def test_a_first_start_marks_the_queue_as_whole(recovery: RecoveryWorld) -> None:
    async with recovery.at_work(recovery_of(recovery)):
        await eventually(lambda: has_epoch(recovery))


async def test_a_flush_under_a_running_platform_is_made_good(recovery: RecoveryWorld) -> None:
    await scripted(recovery, "f", "a", wait("go"), "b", nap("100ms"), "c")
    async with recovery.at_work(recovery_of(recovery)):
        await eventually(lambda: has_epoch(recovery))
        for _ in range(5):
            await recovery.send("app/f")

        async def all_wait() -> bool:
            rows = await recovery.database.read(lambda: waiting(recovery))
            return rows == 5

        await eventually(all_wait)
        await recovery.app.engine.client.execute("FLUSHALL")
        await eventually(lambda: has_epoch(recovery))
        await assert_healthy(recovery)
        await recovery.send("go")
        await recovery.all_end(5)
        await recovery.send("app/f")
        await eventually(lambda: rows_are(recovery, 6))
    assert recovery.executed[("f", "a")] == 6
    assert recovery.executed[("f", "b")] == recovery.executed[("f", "c")] == 5


def waiting(world: RecoveryWorld) -> int:
    rows = StepAttempt.objects.using(world.using)
    return rows.filter(step_id="wait", status=StepStatus.WAITING).count()


async def rows_are(world: RecoveryWorld, count: int) -> bool:
    return len(await world.rows()) == count


async def test_a_service_waits_until_the_queue_is_whole(recovery: RecoveryWorld) -> None:
    began = asyncio.Event()

    class Inner:
        name = "inner"

        async def run(self, stop: asyncio.Event) -> None:
            began.set()
            await stop.wait()

    epoch, stop = Epoch(recovery.app.engine.client, KEYS), asyncio.Event()
    task = asyncio.ensure_future(run_services([AfterRecovery(Inner(), epoch)], stop))
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(began.wait(), 0.3)
    assert not began.is_set()
    await epoch.begin("token")
    assert await epoch.confirm("token")
    await asyncio.wait_for(began.wait(), 5)
    stop.set()
    await task


async def test_a_rebuild_that_was_overtaken_by_another_flush_does_not_count(recovery: RecoveryWorld) -> None:
    epoch = Epoch(recovery.app.engine.client, KEYS)
    await epoch.begin("token")
    await recovery.app.engine.client.execute("FLUSHALL")
    assert not await epoch.confirm("token")
    assert not await epoch.is_set()


async def test_functions_outlive_an_emptied_server(recovery: RecoveryWorld) -> None:
    await scripted(recovery, "f", "a")
    functions = FunctionCache(recovery.app.engine.client, KEYS)
    await functions.refresh()
    await recovery.app.engine.client.execute("FLUSHALL")
    await functions.refresh()
    assert [spec.name for spec in functions.all()] == [recovery.specs[0].name]


def reconciler_of(world: RecoveryWorld) -> Reconciler:
    history, engine = History("0", world.using), world.app.engine
    restorer = RunRestorer(engine, history, world.database, DEFAULT_POLICY)
    return Reconciler(engine, history, world.database, restorer)


async def violations(world: RecoveryWorld) -> dict[str, int]:
    flat = await world.app.engine.client.execute("HGETALL", KEYS.violations)
    return {flat[i].decode(): int(flat[i + 1]) for i in range(0, len(flat), 2)}


async def sleeping(world: RecoveryWorld) -> str:
    """A run that sleeps for an hour; its id."""
    await scripted(world, "f", "a", nap("1h"), "b")
    await world.send("app/f")
    async with world.at_work():
        await reached(world, "nap", StepStatus.SLEEPING)
    await world.drain()
    (run,) = await world.rows()
    return run.run_id


async def test_a_run_that_the_queue_has_lost_is_put_back(recovery: RecoveryWorld, system_clock: None) -> None:
    run_id = await sleeping(recovery)
    assert await reconciler_of(recovery).turn() == Counter()
    await recovery.flush()
    await recovery.drain()
    reconciler = reconciler_of(recovery)
    move_clock(SETTLED_MS + 1)
    assert await reconciler.turn() == Counter(run_lost=1)
    assert await violations(recovery) == {"run_lost": 1}
    assert await recovery.app.engine.client.execute("EXISTS", f"{KEYS.prefix}:run:{run_id}") == 1
    await assert_healthy(recovery)


async def test_a_young_run_may_be_on_its_way(recovery: RecoveryWorld) -> None:
    await sleeping(recovery)
    await recovery.flush()
    assert await reconciler_of(recovery).turn() == Counter()


@pytest.mark.parametrize(("status", "kind"), [(RunStatus.COMPLETED, "row_ended"), (None, "row_missing")])
async def test_a_live_run_that_history_does_not_have_is_counted(
    recovery: RecoveryWorld, system_clock: None, status: RunStatus | None, kind: str
) -> None:
    run_id = await sleeping(recovery)

    def change() -> None:
        rows = Run.objects.using(recovery.using).filter(run_id=run_id)
        if status is None:
            rows.delete()
        else:
            rows.update(status=status)

    await recovery.database.read(change)
    move_clock(SETTLED_MS + 1)
    assert await reconciler_of(recovery).turn() == Counter({kind: 1})
    assert await recovery.app.engine.client.execute("EXISTS", f"{KEYS.prefix}:run:{run_id}") == 1
