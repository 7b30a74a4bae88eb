"""Parallel groups, sleeps, waits and signals inside the store (spec 01, 9 and 11)."""

import pytest

from apps.engine.store.client import Argument
from tests.integration.engine.queue_world import World

GROUP = ("U", "Q", 2, "a", "b", "P", "a", "0", "P", "b", "0")


async def start(world: World, *operations: Argument, version: int = 2, run: str = "r1") -> None:
    await world.schedule(run)
    item, _ = await world.lease_one()
    assert (await world.commit(item, *operations, version=version)).outcome == "ok"


async def test_version_2_discovers_once_when_the_group_is_done(world: World) -> None:
    await start(world, *GROUP)
    first, second = await world.lease()
    assert {first.item.step_id, second.item.step_id} == {"a", "b"}
    assert (first.state.plan_only, first.item.position) == (True, 0)
    await world.commit(first.item, "S", first.item.step_id, b"1", "0")
    assert await world.lease() == []
    await world.commit(second.item, "S", second.item.step_id, b"2", "0")
    discovery, state = await world.lease_one()
    assert (discovery.kind, discovery.position, state.plan_only) == ("edge", 2, False)


async def test_version_1_discovers_after_each_and_stays_in_plan_mode(world: World) -> None:
    await start(world, "U", "P", "a", "0", "P", "b", "0", version=1)
    first, second = await world.lease()
    await world.commit(first.item, "S", first.item.step_id, b"1", "0")
    discovery, state = await world.lease_one()
    assert (discovery.kind, state.plan_only) == ("edge", True)
    await world.commit(second.item, "S", second.item.step_id, b"2", "0")
    assert await world.lease() == []  # the next discovery waits for the one under way
    await world.commit(discovery, "E", 100)
    assert (await world.lease_one()).state.stack == [first.item.step_id, second.item.step_id]


async def test_a_discovery_does_not_wait_for_a_hanging_one_for_long(world: World) -> None:
    await start(world, "U", "P", "a", "0", "P", "b", "0", version=1)
    first, second = await world.lease()
    await world.commit(first.item, "S", "a", b"1", "0")
    await world.lease_one()
    await world.commit(second.item, "S", "b", b"2", "0")
    world.advance(250)
    assert (await world.lease_one()).item.kind == "edge"


async def test_a_race_discovers_at_once(world: World) -> None:
    await start(world, *GROUP)
    first, _second = await world.lease()
    await world.commit(first.item, "S", first.item.step_id, b"1", "1")
    assert (await world.lease_one()).item.kind == "edge"


async def test_a_step_is_planned_once(world: World) -> None:
    await start(world, "P", "a", "0", "P", "a", "0")
    assert len(await world.lease()) == 1


async def test_a_sleep_ends_with_null_and_takes_no_slot(world: World) -> None:
    await start(world, "Z", "nap", world.now + 1_000, "0", b"")
    assert await world.queue.library.call("tick", world.now + 999, 100) == [
        str(world.now + 1_000).encode(), b"-1", b"-1", b"-1",
    ]  # fmt: skip
    world.advance(1_000)
    await world.queue.library.call("tick", world.now, 100)
    item, state = await world.lease_one()
    assert (item.kind, state.stack, state.memos) == ("edge", ["nap"], {"nap": b"null"})


async def test_a_sleep_into_the_past_goes_on_at_once(world: World) -> None:
    await start(world, "Z", "nap", world.now - 1, "0", b"")
    assert (await world.lease_one()).state.memos == {"nap": b"null"}


def wait(step: str = "w", event: str = "app/go", expires: int = 0, bucket: str = "*") -> tuple[Argument, ...]:
    return ("W", step, f"r1.{step}", event, "", bucket, bucket, "1", expires, "0")


async def test_one_of_event_and_timeout_resumes_a_wait(world: World) -> None:
    await start(world, *wait(expires=world.now + 5_000))
    found = await world.queue.library.call("pause_find", "env", "app/go", "9-1", world.now, "*")
    assert found == [[b"r1.w", b"wait", b"r1", b"", b"1", b""]]
    assert await world.queue.library.call("resume_pause", world.now, "r1.w", b'{"e":1}', b"") == b"r1"
    assert await world.queue.library.call("resume_pause", world.now, "r1.w", b"null", b"") is None
    assert (await world.lease_one()).state.memos == {"w": b'{"e":1}'}


async def test_an_event_after_the_timeout_does_not_match(world: World) -> None:
    await start(world, *wait(expires=world.now + 5_000))
    after = world.now + 5_000
    assert await world.queue.library.call("pause_find", "env", "app/go", "9-1", after, "*") == []
    due = await world.queue.library.call("pauses_due", after, 10)
    assert due == [[b"r1.w", b"wait", b"r1", b"w"]]


async def test_a_pause_is_found_by_its_bucket_only(world: World) -> None:
    await start(world, *wait(expires=world.now + 5_000, bucket="k1"))
    assert await world.hash("pn:env:app/go") == {"k1": "1"}
    assert await world.queue.library.call("pause_find", "env", "app/go", "9-1", world.now, "k2") == []
    assert len(await world.queue.library.call("pause_find", "env", "app/go", "9-1", world.now, "k1")) == 1
    assert await world.queue.library.call("pause_find", "env2", "app/go", "9-1", world.now, "k1") == []


@pytest.mark.parametrize(("entry", "found"), [("7-1", 0), ("6-9", 0), ("7-2", 1), ("10-0", 1)])
async def test_a_cancel_rule_sees_only_events_after_its_trigger(world: World, entry: str, found: int) -> None:
    rule: list[Argument] = ["r1.cancel0", "app/stop", "", "*", "*", "1", world.now + 60_000, "7-1"]
    await world.schedule("r1", cancels=[rule])
    reply = await world.queue.library.call("pause_find", "env", "app/stop", entry, world.now, "*")
    assert len(reply) == found


def signal(run: str, mode: str, failure: bytes = b"") -> tuple[Argument, ...]:
    return ("G", "s", f"{run}.s", "go", mode, 9_999_999_999_999, "0", b"", failure, 0)


async def test_a_second_waiter_for_a_signal_fails(world: World) -> None:
    await start(world, *signal("r1", "0"), run="r1")
    await start(world, *signal("r2", "0", b"failed"), run="r2")
    assert await world.queue.state("r2") is None
    assert await world.queue.state("r1") is not None
    assert await world.client.execute("GET", "{q:0}:sig:env:go") == b"r1.s"


async def test_a_replaced_waiter_goes_on_with_null(world: World) -> None:
    await start(world, *signal("r1", "0"), run="r1")
    await start(world, *signal("r2", "1"), run="r2")
    item, state = await world.lease_one()
    assert (item.run_id, state.memos) == ("r1", {"s": b"null"})
    assert await world.client.execute("GET", "{q:0}:sig:env:go") == b"r2.s"


async def test_an_empty_answer_asks_again_only_when_nothing_else_will(world: World) -> None:
    await start(world, "U", "P", "a", "0", "P", "b", "0", version=1)
    first, second = await world.lease()
    await world.commit(first.item, "E", 100)
    assert await world.lease() == []
    await world.commit(second.item, "E", 100)
    assert (await world.lease_one()).item.kind == "edge"


async def test_a_checkpoint_saves_and_is_fenced(world: World) -> None:
    await world.schedule("r1")
    item, _ = await world.lease_one()
    save = [("a", b"1")]
    assert await world.queue.checkpoint("r1", item.id, 1, b"", 1_000, save, [("d", b"{}")]) == "ok"
    assert await world.queue.checkpoint("r1", item.id, 9, b"", 1_000, save, []) == "stale"
    assert await world.queue.checkpoint("r1", "no-item", 0, b"", 1_000, save, []) == "missing"
    assert await world.queue.checkpoint("r1", item.id, 1, b"", 10, [("b", b"12345")], []) == "overflow"
    assert await world.queue.checkpoint("gone", item.id, 1, b"", 1_000, save, []) == "ended"
    state = await world.queue.state("r1")
    assert state is not None
    assert (state.stack, state.memos, state.defers) == (["a"], {"a": b"1"}, {"d": b"{}"})


async def test_a_checkpoint_starts_the_attempts_anew(world: World) -> None:
    await world.schedule("r1")
    item, _ = await world.lease_one()
    await world.commit(item, "R", world.now, 1, "")
    item, _ = await world.lease_one()
    assert item.attempt == 1
    await world.queue.checkpoint("r1", item.id, 2, b"", 1_000, [("a", b"1")], [])
    await world.commit(item, "R", world.now, 1, "")
    assert (await world.lease_one()).item.attempt == 1


async def test_a_cron_tick_fires_once(world: World) -> None:
    await world.client.execute("ZADD", "{q:0}:cron", 60_000, "fn|1|* * * * *")
    fire = ("cron_fire", "fn|1|* * * * *", 60_000, 120_000, "n", "tick")
    assert await world.queue.library.call(*fire) == 1
    assert await world.queue.library.call(*fire) == 0
    assert await world.client.execute("XLEN", "{q:0}:events") == 1
    assert await world.client.execute("ZSCORE", "{q:0}:cron", "fn|1|* * * * *") == b"120000"
