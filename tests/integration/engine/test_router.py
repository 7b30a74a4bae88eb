"""The fairness router (design 6): shares, limits, and what puts a blocked child back."""

from collections import Counter

from tests.integration.engine.queue_world import World

FINISH = ("F", 0)


async def test_a_tenant_does_not_wait_for_anothers_backlog(world: World) -> None:
    await world.configure("flood", account="big", env="big-env")
    await world.configure("small", account="little", env="little-env")
    for number in range(100):
        await world.schedule(f"f{number}", "flood", account="big", env="big-env", score=world.now - 1_000)
    await world.lease(10)
    await world.schedule("s1", "small", account="little", env="little-env")
    assert "s1" in await world.runs(2)


async def test_functions_of_one_environment_share_evenly(world: World) -> None:
    for function in ("a", "b", "c"):
        await world.configure(function)
        for number in range(30):
            await world.schedule(f"{function}{number}", function)
    assert Counter(run[0] for run in await world.runs(30)) == {"a": 10, "b": 10, "c": 10}


async def test_weights_give_shares(world: World) -> None:
    for account, weight in (("light", 1), ("heavy", 3)):
        await world.configure(account, account=account, env=f"{account}-env")
        await world.client.execute("HSET", f"{{q:0}}:n:a:{account}", "w", weight)
        for number in range(80):
            await world.schedule(f"{account}{number}", account, account=account, env=f"{account}-env")
    shares = Counter(run.rstrip("0123456789") for run in await world.runs(80))
    assert shares == {"light": 20, "heavy": 60}


async def test_a_limit_is_never_exceeded_and_a_release_lets_the_next_in(world: World) -> None:
    await world.configure("fn", limit=2)
    for number in range(4):
        await world.schedule(f"r{number}")
    first, second = await world.lease()
    assert await world.lease() == []
    await world.commit(first.item, *FINISH)
    third = await world.lease_one()
    assert await world.lease() == []
    await world.commit(second.item, *FINISH)
    await world.commit(third.item, *FINISH)
    assert await world.runs() == ["r3"]


async def test_a_blocked_function_does_not_hold_up_its_neighbour(world: World) -> None:
    await world.configure("fn", limit=1)
    await world.configure("other")
    await world.schedule("r1")
    await world.schedule("r2")
    await world.schedule("o1", "other")
    assert sorted(await world.runs()) == ["o1", "r1"]


async def test_an_account_limit_holds_over_its_functions(world: World) -> None:
    await world.configure("other")
    await world.client.execute("HSET", "{q:0}:n:a:acc", "lim", 1)
    await world.schedule("r1")
    await world.schedule("o1", "other")
    first = await world.lease_one()
    assert await world.lease() == []
    await world.commit(first.item, *FINISH)
    second = await world.lease_one()
    assert {first.item.run_id, second.item.run_id} == {"r1", "o1"}


async def test_a_raised_limit_holds_for_items_that_wait(world: World) -> None:
    await world.configure("fn", limit=1)
    for number in range(3):
        await world.schedule(f"r{number}")
    assert len(await world.lease()) == 1
    await world.configure("fn", limit=3)
    assert len(await world.lease()) == 2


async def test_a_lost_worker_gives_its_slot_back(world: World) -> None:
    await world.configure("fn", limit=1)
    await world.schedule("r1")
    await world.schedule("r2", score=world.now + 1)
    await world.lease_one()
    world.advance(20_001)
    await world.queue.library.call("sweep", world.now, 100)
    assert await world.runs() == ["r1"]


async def test_a_retry_gives_its_slot_back(world: World) -> None:
    await world.configure("fn", limit=1)
    await world.schedule("r1")
    await world.schedule("r2", score=world.now + 1)
    item, _ = await world.lease_one()
    await world.commit(item, "R", world.now + 30_000, 1, "")
    assert await world.runs() == ["r2"]


async def test_an_idle_worker_is_woken_by_new_work(world: World) -> None:
    assert await world.client.execute("LLEN", "{q:0}:wake") == 0
    await world.schedule("r1")
    assert await world.client.execute("LLEN", "{q:0}:wake") == 1
