"""Looking into the queue: counts are exact, and every kind of block is told by its name."""

from collections.abc import Sequence

import pytest

from apps.engine.functions import ConcurrencyLimit, RunConcurrencyLimit, Throttle
from apps.engine.inspection import InvalidCursor
from apps.engine.keys import HISTORY_GROUP, RUNNER_GROUP
from apps.engine.queue_views import (
    AccountQueue,
    Block,
    FunctionQueue,
    KeyQueue,
    KeyUsage,
    Slots,
    StreamGroup,
)
from apps.engine.store.library import library_source
from apps.engine.store.requests import RerunRequest
from apps.engine.store.views import Item
from tests.integration.engine.engine_world import KEYS, EngineWorld, function

PER_CUSTOMER = ConcurrencyLimit(1, "event.data.c")
STEP = ("S", "step", b'{"data":1}', "0")


async def start(
    world: EngineWorld, customer: str = "c1", *, function_id: str = "fn", env: str = "env"
) -> str:
    event = b'{"data":{"c":"%b"},"id":"e","name":"app/go","ts":1,"user":{}}' % customer.encode()
    request = RerunRequest(env, function_id, [event], ["01E"], ["app/go"], "")
    return await world.engine.rerun(request)


async def look(world: EngineWorld, *, cursor: str = "", limit: int = 50) -> FunctionQueue:
    found = await world.engine.inspect_function("env", "fn", cursor=cursor, limit=limit)
    assert found is not None
    return found


async def all_keys(world: EngineWorld, limit: int) -> list[list[KeyQueue]]:
    pages, cursor = [], ""
    while True:
        found = await look(world, cursor=cursor, limit=limit)
        pages.append(found.keys)
        cursor = found.cursor
        if not cursor:
            return pages


def customers(keys: Sequence[KeyQueue]) -> list[str]:
    return [queue.keys[0][2] for queue in keys]


def by_customer(found: FunctionQueue) -> dict[str, KeyQueue]:
    return {queue.keys[0][2]: queue for queue in found.keys}


async def do_step(world: EngineWorld, item: Item) -> None:
    """The run goes on: its next item is ready at once."""
    assert await world.commit(item, *STEP) == "ok"


async def test_a_function_without_work(engine_world: EngineWorld) -> None:
    await engine_world.publish(function("fn"))
    expected = FunctionQueue("fn", account=Slots(0, 100_000), slug="app-fn")
    assert await look(engine_world) == expected


async def test_what_is_ready_under_way_and_alive(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", concurrency=(ConcurrencyLimit(5),)))
    await start(world)
    await world.lease_one()
    world.advance(100)
    second, third = await start(world), await start(world)
    world.advance(3_000)
    found = await look(world)
    assert (found.depth, found.own_items, found.key_queues, found.live_runs) == (2, 2, 0, 3)
    assert (found.own, found.account) == (Slots(1, 5), Slots(1, 100_000))
    assert found.first is not None
    assert (found.first.run_id, found.first.score) == (second, world.now - 3_000)
    assert found.first.since == world.now - 3_000
    assert found.blocked_by is None
    assert third != second


async def test_an_item_waits_since_it_was_due(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn"))
    await start(world)
    item = (await world.lease_one()).item
    assert await world.commit(item, "R", world.now + 500, 1, "") == "ok"
    found = await look(world)
    assert (found.depth, found.live_runs, found.first) == (0, 1, None)
    world.advance(700)
    await world.queue.library.call("tick", world.now, 100)
    found = await look(world)
    assert found.depth == 1
    assert found.first is not None
    assert (found.first.since, found.first.score) == (world.now - 200, world.now - 700)


async def test_a_paused_function(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", concurrency=(PER_CUSTOMER,)))
    await start(world)
    await world.publish(function("fn", concurrency=(PER_CUSTOMER,), paused=True, version=2))
    found = await look(world)
    assert (found.is_paused, found.is_drained) == (True, False)
    assert found.blocked_by == Block("paused")
    assert [queue.blocked_by for queue in found.keys] == [Block("paused")]


async def test_a_drained_function_is_not_blocked(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn"))
    await start(world)
    await world.publish(function("fn", drained=True, version=2))
    found = await look(world)
    assert (found.is_drained, found.depth, found.blocked_by) == (True, 1, None)


async def test_a_full_function(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(
        function("fn", concurrency=(ConcurrencyLimit(2), ConcurrencyLimit(9, "event.data.c")))
    )
    for customer in ("c1", "c2", "c3"):
        await start(world, customer)
    assert len(await world.lease()) == 2
    found = await look(world)
    assert found.blocked_by == Block("function", 2, 2)
    assert [queue.blocked_by for queue in found.keys] == [Block("function", 2, 2)]


async def test_a_full_account(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", concurrency=(ConcurrencyLimit(1),)), function("other"))
    await world.engine.configure_account("acc", 1, 1)
    await start(world, function_id="other")
    await world.lease_one()
    await start(world)
    found = await look(world)
    assert (found.own, found.account) == (Slots(0, 1), Slots(1, 1))
    assert found.blocked_by == Block("account", 1, 1)


async def test_a_full_key_does_not_block_another(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", concurrency=(PER_CUSTOMER,)))
    for customer in ("c1", "c1", "c1", "c2"):
        await start(world, customer)
    leased = {held.item.run_id for held in await world.lease()}
    assert len(leased) == 2
    await start(world, "c3")
    world.advance(250)
    found = await look(world)
    keys = by_customer(found)
    full = Block("key", 1, 1, number=1, expression="event.data.c", value="c1")
    assert found.blocked_by is None
    assert (found.depth, found.key_starts, found.key_steps, found.key_queues) == (3, 3, 0, 2)
    assert set(keys) == {"c1", "c3"}
    assert (keys["c1"].starts, keys["c1"].steps, keys["c3"].starts) == (2, 0, 1)
    assert (keys["c1"].blocked_by, keys["c1"].starts_blocked_by, keys["c3"].blocked_by) == (full, full, None)
    assert keys["c1"].usage == [KeyUsage("key", 1, 1, 1, "event.data.c", "c1")]
    assert keys["c3"].usage == [KeyUsage("key", 1, 0, 1, "event.data.c", "c3")]
    assert keys["c1"].keys == [("concurrency", "event.data.c", "c1")]
    assert world.now - keys["c1"].first.since == 250


async def test_the_second_of_two_keys_is_named(engine_world: EngineWorld) -> None:
    world = engine_world
    limits = (ConcurrencyLimit(9, "event.data.c"), ConcurrencyLimit(1, "event.name", "account"))
    await world.publish(function("fn", concurrency=limits))
    for _ in range(2):
        await start(world)
    await world.lease()
    [queue] = (await look(world)).keys
    assert queue.blocked_by == Block("key", 1, 1, number=2, expression="event.name", value="app/go")


async def test_the_only_key_queue_tells_for_its_function(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", throttle=Throttle(1, 60_000, burst=0)))
    for _ in range(3):
        await start(world)
    assert len(await world.lease()) == 1
    world.advance(1_000)
    found = await look(world)
    assert found.blocked_by == Block("throttle", free_at=world.now + 59_000)
    assert (found.depth, found.key_starts) == (2, 2)


async def test_a_throttle_has_a_time_for_each_key(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", throttle=Throttle(1, 60_000, burst=0, key="event.data.c")))
    for customer in ("c1", "c1", "c2", "c2"):
        await start(world, customer)
    assert len(await world.lease()) == 2
    found = await look(world)
    opens = world.now + 60_000
    assert found.blocked_by == Block("keys")
    assert {name: queue.blocked_by for name, queue in by_customer(found).items()} == {
        name: Block("throttle", free_at=opens, expression="event.data.c", value=name) for name in ("c1", "c2")
    }


async def test_a_throttle_stops_no_steps(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", throttle=Throttle(1, 60_000, burst=0)))
    for _ in range(2):
        await start(world)
    [leased] = await world.lease()
    await do_step(world, leased.item)
    [queue] = (await look(world)).keys
    assert (queue.steps, queue.starts, queue.blocked_by) == (1, 1, None)
    assert queue.starts_blocked_by == Block("throttle", free_at=world.now + 60_000)
    assert queue.first.run_id == leased.item.run_id


async def test_runs_in_progress(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", run_concurrency=(RunConcurrencyLimit(1, "event.data.c"),)))
    for _ in range(2):
        await start(world)
    [leased] = await world.lease()
    await do_step(world, leased.item)
    [queue] = (await look(world)).keys
    full = Block("runs", 1, 1, number=1, expression="event.data.c", value="c1")
    assert (queue.steps, queue.blocked_by, queue.starts_blocked_by) == (1, None, full)
    [again] = await world.lease()
    assert again.item.run_id == leased.item.run_id
    [queue] = (await look(world)).keys
    assert (queue.steps, queue.blocked_by, queue.starts_blocked_by) == (0, full, full)


async def test_the_first_of_several_blocks_is_told(engine_world: EngineWorld) -> None:
    """Throttle, account, function, key: what is freed uncovers the next."""
    world = engine_world
    everything = {
        "throttle": Throttle(1, 60_000, burst=0),
        "concurrency": (ConcurrencyLimit(1), PER_CUSTOMER),
        "run_concurrency": (RunConcurrencyLimit(1),),
    }
    await world.publish(function("fn", **everything))
    await world.engine.configure_account("acc", 1, 1)
    for _ in range(2):
        await start(world)
    assert len(await world.lease()) == 1

    async def block() -> str:
        [queue] = (await look(world)).keys
        assert queue.blocked_by is not None
        return queue.blocked_by.kind

    assert await block() == "throttle"
    world.advance(60_000)
    assert await block() == "account"
    await world.engine.configure_account("acc", 9, 1)
    assert await block() == "function"
    await world.publish(function("fn", **everything | {"concurrency": (PER_CUSTOMER,), "version": 2}))
    assert await block() == "key"
    per_customer = (ConcurrencyLimit(2, "event.data.c"),)
    await world.publish(function("fn", **everything | {"concurrency": per_customer, "version": 3}))
    assert await block() == "runs"


async def test_items_of_former_keys_wait_only_for_new_ones(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", concurrency=(PER_CUSTOMER,)))
    for _ in range(2):
        await start(world)
    await world.lease()
    await world.publish(function("fn", concurrency=(ConcurrencyLimit(1, "event.name"),), version=2))
    [queue] = (await look(world)).keys
    assert (queue.is_outdated, queue.blocked_by, queue.usage) == (True, None, [])
    assert queue.keys == [("concurrency", "event.data.c", "c1")]


@pytest.mark.parametrize("limit", [1, 7, 50, 90, 200])
async def test_each_key_queue_is_on_one_page(engine_world: EngineWorld, limit: int) -> None:
    """Ready ones, ones whose key is full, and ones that only have starts to wait for a throttle."""
    world = engine_world
    throttle = Throttle(1, 60_000, burst=0, key="event.data.c")
    await world.publish(function("fn", concurrency=(PER_CUSTOMER,), throttle=throttle))
    names = [f"c{number:03}" for number in range(90)]
    for name in names:
        await start(world, name)
        await start(world, name)
    leased = await world.lease(30)
    for held in leased[:10]:
        await do_step(world, held.item)
    await world.lease(5)
    pages = await all_keys(world, limit)
    assert sorted(customers([queue for page in pages for queue in page])) == names
    assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
    found = await look(world)
    assert (found.key_queues, found.is_complete) == (90, True)
    held_back = len(leased) + 5
    assert found.depth == 180 + 10 - held_back


async def test_many_keys_wait_at_one_bucket(engine_world: EngineWorld) -> None:
    world = engine_world
    limits = (RunConcurrencyLimit(1), RunConcurrencyLimit(9, "event.data.c"))
    await world.publish(function("fn", run_concurrency=limits))
    names = [f"c{number:03}" for number in range(40)]
    for name in names:
        await start(world, name)
    [leased] = await world.lease()
    pages = await all_keys(world, 9)
    seen = customers([queue for page in pages for queue in page])
    assert len(seen) == 39
    assert len(set(seen)) == 39
    found = await look(world)
    assert found.blocked_by == Block("keys")
    assert {queue.blocked_by for queue in found.keys} == {Block("runs", 1, 1, number=1)}
    assert (found.own, found.live_runs) == (Slots(1, None), 40)
    assert leased.item.function_id == "fn"


async def test_counts_have_an_end(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(function("fn", concurrency=(PER_CUSTOMER,)))
    for number in range(310):
        await start(world, f"c{number}")
    found = await look(world, limit=10)
    assert (found.is_complete, found.key_queues, found.depth) == (False, 300, 300)
    assert len(found.keys) == 10
    assert sum(map(len, await all_keys(world, 90))) == 310


async def test_another_environments_function_is_unknown(engine_world: EngineWorld) -> None:
    await engine_world.publish(function("fn"))
    assert await engine_world.engine.inspect_function("env2", "fn") is None
    assert await engine_world.engine.inspect_function("env", "nope") is None


@pytest.mark.parametrize(
    "cursor",
    ["x", "q", "q 1", "q nan a", "w 0 b", "w x b 1 a", "q 1 a\n", "q - a", "q 1e a", "w 1 b 1.2.3 a"],
)
async def test_a_text_that_is_no_cursor_is_refused(engine_world: EngineWorld, cursor: str) -> None:
    await engine_world.publish(function("fn"))
    with pytest.raises(InvalidCursor):
        await look(engine_world, cursor=cursor)


async def test_an_account_in_sum(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(
        function("fn", concurrency=(ConcurrencyLimit(1),)),
        function("keyed", concurrency=(PER_CUSTOMER,)),
        function("idle"),
        function("foreign", account_id="acc2", env_id="env2"),
    )
    await world.engine.configure_account("acc", 50, 3)
    for function_id in ("fn", "fn", "keyed", "keyed", "keyed"):
        await start(world, function_id=function_id)
    await start(world, function_id="foreign", env="env2")
    assert len(await world.lease()) == 3
    found = await world.engine.inspect_account("acc")
    assert found is not None
    assert (found.slots, found.weight, found.has_own_limit) == (Slots(2, 50), 3, True)
    assert (found.depth, found.live_runs, found.is_complete) == (3, 5, True)
    assert {queue.slug: queue.depth for queue in found.functions} == {"app-fn": 1, "app-keyed": 2}
    assert {queue.slug: queue.blocked_by for queue in found.blocked_functions} == {
        "app-fn": Block("function", 1, 1),
        "app-keyed": Block("keys"),
    }
    assert await world.engine.inspect_account("nobody") is None


async def test_an_account_that_only_has_a_share(engine_world: EngineWorld) -> None:
    await engine_world.engine.configure_account("acc", None, 1)
    assert await engine_world.engine.inspect_account("acc") == AccountQueue("acc", Slots(0, 100_000))


async def test_a_shard(engine_world: EngineWorld) -> None:
    world = engine_world
    await world.publish(
        function("fn", "app/go"), function("foreign", account_id="acc2", env_id="env2"), function("idle")
    )
    await world.client.execute("XGROUP", "CREATE", KEYS.history, HISTORY_GROUP, "$", "MKSTREAM")
    for _ in range(2):
        await world.send("app/go")
    await world.handle()
    await world.send("app/other")
    await start(world, function_id="foreign", env="env2")
    item = (await world.lease_one()).item
    waiting: list[str | int | bytes] = [
        "W",
        "w",
        f"{item.run_id}.w",
        "app/x",
        "",
        "*",
        "*",
        "1",
        world.now + 60_000,
        "0",
    ]
    assert await world.commit(item, *waiting, version=2) == "ok"
    [held] = await world.lease(1)
    history = int(await world.client.execute("XLEN", KEYS.history))

    found = await world.engine.inspect_shard()
    assert (found.shard, f"_{found.library}") == ("0", library_source()[0])
    assert (found.ready, found.live_runs, found.leases, found.timers, found.pauses) == (1, 3, 1, 0, 1)
    assert (found.functions, found.is_complete) == (3, True)
    assert (found.events, found.history) == (3, history)
    assert found.groups == [
        StreamGroup("events", RUNNER_GROUP, 0, 1),
        StreamGroup("history", HISTORY_GROUP, 0, history),
    ]
    assert [(account.account_id, account.functions) for account in found.accounts] == [
        ("acc", []),
        ("acc2", []),
    ]
    assert sorted(account.depth + account.slots.holders for account in found.accounts) == [1, 1]
    assert held.item.kind == "start"


async def test_a_shard_without_anything(engine_world: EngineWorld) -> None:
    await engine_world.client.execute("DEL", KEYS.events)
    found = await engine_world.engine.inspect_shard()
    assert (found.ready, found.functions, found.accounts, found.groups) == (0, 0, [], [])


@pytest.mark.parametrize(
    ("name", "args"),
    [("inspect_functions", ("fn",)), ("inspect_keys", (0, "fn", "", 9)), ("inspect_accounts", ("acc",))],
)
async def test_the_server_is_told_that_nothing_is_written(
    engine_world: EngineWorld, name: str, args: tuple[str | int, ...]
) -> None:
    await engine_world.publish(function("fn"))
    command = engine_world.queue.library.command(name, *args)
    assert await engine_world.client.execute("FCALL_RO", *command[1:])
