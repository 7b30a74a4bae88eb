"""Each invariant is broken by hand; the reaper finds it, puts it right and counts it (design 7)."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest

from apps.engine.flow.admission import Flow
from apps.engine.keys import Keys
from apps.engine.recovery.reaper import Reaper
from apps.engine.recovery.verification import Verifier
from apps.engine.store.views import Item
from tests.integration.engine.app_world import AppWorld, Call, eventually, ops, plan, result, step
from tests.integration.engine.queue_world import PREFIX, World

KEYS = Keys("0")


def key(name: str) -> str:
    return f"{PREFIX}:{name}"


async def violations(world: World) -> Counter[str]:
    return await Verifier(world.client, KEYS).check_everything(repair=False)


async def repaired(world: World) -> Counter[str]:
    """What one turn finds; afterwards nothing is wrong any more."""
    found = await Reaper(world.client, KEYS).turn()
    assert await violations(world) == Counter()
    return found


async def counted(world: World) -> dict[str, str]:
    return await world.hash("violations")


async def started(world: World, *operations: str | int | bytes) -> Item:
    """Run `run` after a first answer with the operations."""
    await world.schedule("run")
    item = (await world.lease_one()).item
    assert (await world.commit(item, *operations, version=2)).outcome == "ok"
    return item


def wait(step_id: str = "w") -> list[str | int | bytes]:
    return ["W", step_id, f"run.{step_id}", "go", "", "*", "*", "1", 9_000_000_000_000, "0"]


async def test_a_healthy_queue_has_no_violation(world: World) -> None:
    await world.schedule("queued")
    await world.schedule("later", due=world.now + 1000)
    await world.schedule("leased", score=1)
    assert (await world.lease_one()).item.run_id == "leased"
    await started(world, *wait(), "Z", "z", world.now + 1000, "0", b"", "P", "p", "0")
    assert await violations(world) == Counter()
    assert await repaired(world) == Counter()
    assert await counted(world) == {}


async def test_a_run_without_anything_goes_on_from_its_memos(world: World) -> None:
    item = await started(world, "S", "a", b"1", "0", "P", "p", "0")
    for job in await world.client.execute("SMEMBERS", key("jobs:run")):
        await world.client.execute("DEL", key(f"i:{job.decode()}"))
    await world.client.execute("HDEL", key("run:run"), "dq")
    found = await repaired(world)
    assert found["run_stuck"] == 1
    leased = await world.lease_one()
    assert (leased.item.kind, leased.item.step_id, leased.state.stack) == ("edge", "", ["a"])
    assert leased.item.id != item.id
    # The step that was planned is planned again.
    await world.commit(leased.item, "P", "p", "0")
    assert (await world.lease_one()).item.step_id == "p"


async def test_a_run_that_never_began_starts(world: World) -> None:
    await world.schedule("run")
    (job,) = await world.client.execute("SMEMBERS", key("jobs:run"))
    await world.client.execute("DEL", key(f"i:{job.decode()}"))
    assert (await repaired(world))["run_stuck"] == 1
    assert (await world.lease_one()).item.kind == "start"


async def test_a_lost_discovery_is_made_again(world: World) -> None:
    await started(world, *wait(), "S", "a", b"1", "0")
    queued = await world.client.execute("HGET", key("run:run"), "dq")
    await world.client.execute("DEL", key(f"i:{queued.decode()}"))
    found = await repaired(world)
    assert found["discovery_lost"] == 1
    assert (await world.lease_one()).item.kind == "edge"


async def test_a_discovery_does_not_wait_for_one_that_is_gone(world: World) -> None:
    await started(world, *wait())
    await world.client.execute("HSET", key("run:run"), "dl", "000000000009999")
    assert await repaired(world) == Counter({"discovery_stale": 1})
    assert await world.client.execute("HGET", key("run:run"), "dl") is None


async def test_an_item_that_is_nowhere_is_placed(world: World) -> None:
    await world.schedule("ready")
    await world.schedule("later", due=world.now + 1000)
    await world.client.execute("DEL", key("r:f:fn"), key("timers"))
    assert await repaired(world) == Counter({"item_unplaced": 2})
    assert await world.runs() == ["ready"]
    world.advance(1000)
    assert await world.runs() == ["later"]


async def test_a_leased_item_is_in_no_queue(world: World) -> None:
    await world.schedule("run")
    item = (await world.lease_one()).item
    await world.client.execute("ZADD", key("timers"), world.now, item.id)
    await world.client.execute("ZADD", key("r:f:fn"), world.now, item.id)
    assert (await repaired(world))["item_misplaced"] == 1
    assert await world.runs() == []


async def test_an_item_that_is_ready_has_no_timer(world: World) -> None:
    await world.schedule("run")
    (job,) = await world.zset("r:f:fn")
    await world.client.execute("ZADD", key("timers"), world.now + 1000, job)
    assert await repaired(world) == Counter({"item_misplaced": 1})
    assert await world.zset("timers") == []


async def test_a_lease_that_is_not_listed_ends_all_the_same(world: World) -> None:
    await world.schedule("run")
    item = (await world.lease_one()).item
    await world.client.execute("ZREM", key("leases"), item.id)
    assert await repaired(world) == Counter({"lease_unlisted": 1})
    world.advance(20_000)
    await world.queue.library.call("sweep", world.now, 10)
    assert (await world.lease_one()).item.generation == 2


async def test_a_lease_that_the_sweep_missed_is_counted_only(world: World) -> None:
    await world.schedule("run")
    await world.lease_one()
    world.advance(20_000 + 10_001)
    assert await Reaper(world.client, KEYS).turn() == Counter({"lease_overdue": 1})
    assert await counted(world) == {"lease_overdue": "1"}


async def test_a_slot_of_nobody_is_given_back(world: World) -> None:
    await world.configure("fn", limit=1)
    await world.client.execute("SADD", key("h:f:fn"), "000000000009999")
    await world.client.execute("SADD", key("h:a:acc"), "000000000009999")
    await world.schedule("run")
    assert await world.runs() == []
    found = await repaired(world)
    assert found["slot_stale"] == 2
    assert await world.runs() == ["run"]


async def test_a_lease_without_a_slot_gets_one(world: World) -> None:
    await world.configure("fn", limit=1)
    await world.schedule("run")
    await world.schedule("next")
    await world.lease_one()
    await world.client.execute("DEL", key("h:f:fn"))
    assert await repaired(world) == Counter({"slot_missing": 1})
    assert await world.runs() == []


async def test_a_lost_activation_is_made_again(world: World) -> None:
    await world.schedule("run")
    await world.client.execute("DEL", key("r:root"), key("r:a:acc"), key("r:e:env"))
    assert await world.runs() == []
    assert (await Reaper(world.client, KEYS).turn())["activation_lost"] > 0
    assert await violations(world) == Counter()
    assert await world.runs() == ["run"]


async def test_a_full_function_is_rightly_not_ready(world: World) -> None:
    await world.configure("fn", limit=1)
    await world.schedule("one")
    await world.schedule("two")
    await world.lease_one()
    assert await violations(world) == Counter()


async def test_what_points_at_nothing_goes(world: World) -> None:
    for name in ("timers", "leases", "px", "r:f:fn"):
        await world.client.execute("ZADD", key(name), world.now, "000000000009999")
    await world.client.execute("ZADD", key("rt"), world.now, "gone|s")
    await world.client.execute("ZADD", key("live:fn"), world.now, "gone")
    await world.client.execute("SET", key("sig:env:name"), "gone.step")
    await world.client.execute("HSET", key("memo:gone"), "a", "1")
    # The functions's own pages come first, so that its ready set is found by them and by its key.
    assert await repaired(world) == Counter(
        {
            "timer_dangling": 1,
            "lease_dangling": 1,
            "pause_dangling": 1,
            "ready_dangling": 1,
            "timeout_dangling": 1,
            "live_dangling": 1,
            "signal_stale": 1,
            "run_remains": 1,
        }
    )


async def test_what_belongs_to_an_ended_run_goes(world: World) -> None:
    await started(world, *wait(), "Z", "z", world.now + 1000, "0", b"", "P", "p", "0")
    names = ("run:run", "live:fn", "jobs:run", "rp:run", "seen:run")
    await world.client.execute("DEL", *[key(name) for name in names])
    found = await repaired(world)
    assert (found["item_orphaned"], found["pause_orphaned"]) == (2, 1)
    assert await world.keys() == set()


async def test_what_a_run_does_not_know_of_is_told_to_it(world: World) -> None:
    await started(world, *wait(), "P", "p", "0")
    await world.client.execute("DEL", key("jobs:run"), key("rp:run"), key("live:fn"))
    found = await Verifier(world.client, KEYS).check_everything(repair=True)
    assert found == Counter({"item_unlisted": 1, "pause_unlisted": 1, "live_missing": 1})
    assert await violations(world) == Counter()
    assert await world.client.execute("ZSCORE", key("live:fn"), "run") is not None


@pytest.mark.parametrize(
    ("name", "kind"),
    [("px", "pause_unlisted"), ("pb:env:go:*", "pause_unindexed"), ("p:run.w", "pause_missing")],
)
async def test_a_pause_is_where_it_is_looked_for(world: World, name: str, kind: str) -> None:
    await started(world, *wait(), "P", "p", "0")
    await world.client.execute("DEL", key(name))
    assert (await Reaper(world.client, KEYS).turn())[kind] == 1


async def test_a_wait_for_a_signal_holds_its_name(world: World) -> None:
    expires = world.now + 1000
    await started(world, "G", "s", "run.s", "name", "0", expires, "0", b"", b"", 0)
    await world.client.execute("DEL", key("sig:env:name"))
    assert await repaired(world) == Counter({"signal_unheld": 1})
    assert await world.client.execute("GET", key("sig:env:name")) == b"run.s"


LEAF = "k:fn:one"
CONCURRENCY, IN_PROGRESS = "c:f:fn:value", "r:fn:value"


async def keyed(world: World, *runs: str, limit: int = 1, run_limit: int = 5) -> None:
    """Runs of one key queue, with limits on its steps and on its runs in progress."""
    await world.configure("fn", keys="v", key_limits=(limit,), run_limits=(run_limit,))
    await world.queue.library.call("tick", world.now, 10)
    flow = Flow(leaf=LEAF, kv="v", gates=f"{CONCURRENCY} - - {IN_PROGRESS} -", shown="[]")
    for run in runs:
        await world.schedule(run, flow=flow)


@pytest.mark.parametrize(("limit", "run_limit"), [(1, 5), (5, 1)])
async def test_a_key_queue_that_waits_is_healthy(world: World, limit: int, run_limit: int) -> None:
    await keyed(world, "one", "two", limit=limit, run_limit=run_limit)
    assert await world.runs() == ["one"]
    assert await violations(world) == Counter()


@pytest.mark.parametrize(("limit", "bucket"), [(1, CONCURRENCY), (5, IN_PROGRESS)])
async def test_a_unit_of_a_key_that_nobody_holds_is_given_back(world: World, limit: int, bucket: str) -> None:
    await keyed(world, limit=limit, run_limit=1)
    await world.client.execute("SADD", key(f"h:{bucket}"), "gone")
    await keyed(world, "run", limit=limit, run_limit=1)
    assert await world.runs() == []
    assert (await repaired(world))["slot_stale"] == 1
    assert await world.runs() == ["run"]


async def test_a_key_queue_that_was_not_woken_is_woken(world: World) -> None:
    await keyed(world, "one", "two")
    item = (await world.lease_one()).item
    assert await world.runs() == []
    await world.client.execute("SREM", key(f"h:{CONCURRENCY}"), item.id)
    await world.client.execute("HDEL", key(f"i:{item.id}"), "h1")
    assert (await repaired(world))["wake_lost"] == 1
    assert await world.runs() == ["two"]


async def test_a_key_queue_with_work_is_ready(world: World) -> None:
    await keyed(world, "run")
    await world.client.execute("DEL", key("q:f:fn"))
    assert (await repaired(world))["activation_lost"] > 0
    assert await world.runs() == ["run"]


async def test_a_key_queue_that_waits_is_in_the_list(world: World) -> None:
    await keyed(world, "one", "two")
    item = (await world.lease_one()).item
    assert await world.runs() == []
    await world.client.execute("DEL", key(f"w:{CONCURRENCY}|fn"))
    assert (await repaired(world))["wait_lost"] == 1
    await world.commit(item, "F", 0)
    assert await world.runs() == ["two"]


async def test_a_lock_without_a_run_is_opened(world: World) -> None:
    flow = Flow(lock="fn", lock_mode="skip")
    await world.schedule("one", flow=flow)
    assert await violations(world) == Counter()
    await world.client.execute("SET", key("sg:fn"), "gone")
    assert await repaired(world) == Counter({"lock_stale": 1})
    assert await world.schedule("two", flow=flow) == ("created", "two")


async def test_violations_are_counted_for_good(world: World) -> None:
    for _ in range(2):
        await world.client.execute("ZADD", key("timers"), world.now, "000000000009999")
        await Reaper(world.client, KEYS).turn()
    assert await counted(world) == {"timer_dangling": "2"}


async def test_looking_alone_changes_nothing(world: World) -> None:
    await world.client.execute("ZADD", key("timers"), world.now, "000000000009999")
    assert await violations(world) == await violations(world) == Counter({"timer_dangling": 1})
    assert await counted(world) == {}


async def test_a_busy_platform_has_no_violation(platform: AppWorld) -> None:
    async def handler(call: Call) -> object:
        await asyncio.sleep(0.001)
        if call.step_id != "step":
            return ops(step(call.step_id, 1))
        if len(call.steps) < 2:
            return ops(step(f"s{len(call.steps)}"))
        group = [plan(f"p{number}") for number in range(3)]
        missing = [op for op in group if op["id"] not in call.steps]
        if missing:
            nap = {"op": "Sleep", "id": "nap", "name": "20ms"}
            return ops(*missing, *([nap] if "nap" not in call.steps else []))
        return result(1)

    await platform.publish("fn", handler)  # type: ignore[arg-type]
    for _ in range(60):
        await platform.send("app/fn")
    verifier = Verifier(platform.engine.client, KEYS)
    seen: Counter[str] = Counter()

    async def all_ended() -> bool:
        seen.update(await verifier.check_everything(repair=False))
        ended = [record for record in await platform.records() if type(record).__name__ == "RunEnded"]
        return len(ended) == 60

    await eventually(all_ended)
    assert seen == Counter()


async def test_one_reaper_at_a_time(world: World) -> None:
    stop = asyncio.Event()
    await world.client.execute("ZADD", key("timers"), world.now, "000000000009999")
    reapers = [Reaper(world.client, KEYS, turn_seconds=0.01) for _ in range(2)]
    turns: Counter[int] = Counter()
    for number, reaper in enumerate(reapers):
        _count_turns(reaper, turns, number)
    tasks = [asyncio.ensure_future(reaper.run(stop)) for reaper in reapers]

    async def several() -> bool:
        return turns.total() >= 5

    await eventually(several)
    stop.set()
    await asyncio.wait_for(asyncio.gather(*tasks), 5)
    assert len(turns) == 1


def _count_turns(reaper: Reaper, turns: Counter[int], number: int) -> None:
    turn: Callable[[], Awaitable[Counter[str]]] = reaper.turn

    async def counting() -> Counter[str]:
        turns[number] += 1
        return await turn()

    reaper.turn = counting  # type: ignore[method-assign]
