"""Fairness at scale (design 6): nobody waits for another's backlog, and weights give shares."""

from collections import Counter

from tests.integration.engine.flow_world import at_once, finish, in_leaf, run_ids
from tests.integration.engine.queue_world import World

FLOOD, OTHERS = 50_000, 49
ALL_OTHERS = {f"o{number}" for number in range(OTHERS)}


async def first_round(world: World) -> Counter[str]:
    """Who is served by the first 50 leases."""
    return Counter(run.partition("-")[0] for run in await world.runs(OTHERS + 1))


def assert_all_are_served_once(round_: Counter[str]) -> None:
    assert round_ == dict.fromkeys({"flood", *ALL_OTHERS}, 1)


async def test_accounts_do_not_wait_for_the_backlog_of_one(world: World) -> None:
    for name in ("flood", *ALL_OTHERS):
        await world.configure(name, account=name, env=f"{name}-env")
    flood = {"function": "flood", "account": "flood", "env": "flood-env"}
    await at_once(world.schedule(f"flood-{number}", **flood) for number in range(FLOOD))
    await at_once(world.schedule(name, name, account=name, env=f"{name}-env") for name in ALL_OTHERS)
    assert_all_are_served_once(await first_round(world))


async def test_functions_of_one_account_do_not_wait_for_the_backlog_of_one(world: World) -> None:
    for name in ("flood", *ALL_OTHERS):
        await world.configure(name)
    await at_once(world.schedule(f"flood-{number}", "flood") for number in range(FLOOD))
    await at_once(world.schedule(name, name) for name in ALL_OTHERS)
    assert_all_are_served_once(await first_round(world))


async def test_keys_of_one_function_do_not_wait_for_the_backlog_of_one(world: World) -> None:
    await world.configure("fn", keys="v1", key_limits=(1_000,))
    await at_once(world.schedule(f"flood-{number}", flow=in_leaf("c:f:fn:flood")) for number in range(FLOOD))
    await at_once(world.schedule(name, flow=in_leaf(f"c:f:fn:{name}")) for name in ALL_OTHERS)
    assert_all_are_served_once(await first_round(world))


async def test_a_newcomer_is_next_whatever_was_served_before(world: World) -> None:
    """What an account was given while it was alone is not held against it, nor against those who come."""
    for name in ("flood", "other"):
        await world.configure(name, account=name, env=f"{name}-env")
    flood = {"function": "flood", "account": "flood", "env": "flood-env"}
    await at_once(world.schedule(f"flood-{number}", **flood) for number in range(1_000))
    for _ in range(10):
        await world.lease(50)
    await at_once(
        world.schedule(f"other-{number}", "other", account="other", env="other-env") for number in range(100)
    )
    assert await first_round(world) == {"flood": 25, "other": 25}


async def test_weights_give_shares_while_both_are_backlogged(world: World) -> None:
    """1 to 3 within 5%, in small batches of which all is finished before the next."""
    for name, weight in (("light", 1), ("heavy", 3)):
        await world.configure(name, account=name, env=f"{name}-env")
        await world.queue.library.call("configure_account", name, 1_000, "1", weight)
        await at_once(
            world.schedule(f"{name}-{number}", name, account=name, env=f"{name}-env")
            for number in range(1_000)
        )
    served: Counter[str] = Counter()
    for _ in range(80):
        batch = await world.lease(10)
        served.update(run.partition("-")[0] for run in run_ids(batch))
        for leased in batch:
            await finish(world, leased)
    assert served.total() == 800
    assert 0.95 * 3 <= served["heavy"] / served["light"] <= 1.05 * 3
