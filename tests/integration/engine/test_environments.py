"""Environments in the queue: their weights, what an archived one starts, and how one is forgotten."""

from collections import Counter

import pytest

from apps.engine.environments import EnvironmentShare
from apps.engine.functions import Batch, ConcurrencyLimit, Debounce, RateLimit, Singleton, Throttle
from apps.engine.records import RunScheduled
from tests.integration.engine.engine_world import EngineWorld, function
from tests.integration.engine.flow_world import at_once
from tests.integration.engine.queue_world import World

ARCHIVED = EnvironmentShare("env", "acc", 1, is_archived=True)
BACK = EnvironmentShare("env", "acc", 1, is_archived=False)
GONE, STAYS = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


@pytest.mark.parametrize(("weights", "shares"), [((1, 1), (20, 20)), ((3, 1), (30, 10))])
async def test_environments_of_an_account_share_by_weight(
    world: World, weights: tuple[int, int], shares: tuple[int, int]
) -> None:
    for env, weight in zip(("prod", "test"), weights, strict=True):
        await world.configure(env, env=env)
        await world.queue.library.call("configure_environment", env, "acc", weight, 0)
        await at_once(world.schedule(f"{env}-{number}", env, env=env) for number in range(40))
    found = Counter(run.partition("-")[0] for run in await world.runs(40))
    assert found == dict(zip(("prod", "test"), shares, strict=True))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"batch": Batch(2, 5_000)},
        {"debounce": Debounce(5_000)},
        {"rate_limit": RateLimit(1, 60_000)},
        {"singleton": Singleton()},
    ],
    ids=["plain", "batch", "debounce", "rate-limit", "singleton"],
)
async def test_events_of_an_archived_environment_are_skipped(
    engine_world: EngineWorld, settings: dict[str, object]
) -> None:
    await engine_world.publish(function("fn", "app/go", **settings))
    await engine_world.engine.configure_environments([ARCHIVED])
    for _ in range(2):
        await engine_world.send("app/go")
    skipped = await handled_runs(engine_world)
    assert [record.skip_reason for record in skipped] == ["environment_archived"] * 2
    assert await engine_world.lease() == []


async def test_an_unarchived_environment_starts_runs_again(engine_world: EngineWorld) -> None:
    await engine_world.publish(function("fn", "app/go"))
    await engine_world.engine.configure_environments([ARCHIVED])
    await engine_world.engine.configure_environments([BACK])
    await engine_world.send("app/go")
    [run] = await handled_runs(engine_world)
    assert run.skip_reason == ""
    assert [leased.item.run_id for leased in await engine_world.lease()] == [run.run_id]


async def test_a_neighbour_does_not_notice(engine_world: EngineWorld) -> None:
    await engine_world.publish(function("fn", "app/go"), function("next", "app/go", env_id="next"))
    await engine_world.engine.configure_environments([ARCHIVED])
    await engine_world.send("app/go", env="next")
    assert [run.skip_reason for run in await handled_runs(engine_world)] == [""]


async def handled_runs(world: EngineWorld) -> list[RunScheduled]:
    await world.handle_all()
    return await world.records(RunScheduled)


async def test_an_environment_is_forgotten_with_all_that_names_it(engine_world: EngineWorld) -> None:
    """Runs, waits and counters of each kind; those of a neighbour stay."""
    kinds: dict[str, dict[str, object]] = {
        "plain": {},
        "batch": {"batch": Batch(5, 60_000)},
        "debounce": {"debounce": Debounce(60_000)},
        "rate": {"rate_limit": RateLimit(9, 3_600_000)},
        "singleton": {"singleton": Singleton()},
        "throttle": {"throttle": Throttle(1, 3_600_000)},
        "keys": {"concurrency": (ConcurrencyLimit(1, "event.data.n"),)},
    }
    for env in (GONE, STAYS):
        specs = [
            function(f"{env[:30]}{index:06}", "app/go", env_id=env, account_id=f"acc-{env}", **settings)
            for index, settings in enumerate(kinds.values())
        ]
        await engine_world.publish(*specs)
        for number in range(3):
            await engine_world.send("app/go", {"n": number % 2}, env=env)
    await engine_world.handle_all()
    await engine_world.lease(3)
    stays = await keys_with(engine_world, STAYS[:30])
    share = EnvironmentShare(GONE, f"acc-{GONE}", 1, is_archived=True)
    await engine_world.engine.configure_environments([share])
    assert await engine_world.engine.forget_environment(GONE) == len(kinds)
    await engine_world.engine.forget_account(f"acc-{GONE}")
    assert await keys_with(engine_world, GONE[:30]) == []
    assert await keys_with(engine_world, STAYS[:30]) == stays
    engine_world.advance(3_600_000)
    await engine_world.queue.library.call("sweep", engine_world.now, 100)
    assert await keys_with(engine_world, GONE[:30]) == []
    assert await engine_world.engine.forget_environment(GONE) == 0
    owners = {leased.item.env_id for leased in await engine_world.lease(100)}
    assert owners == {STAYS}


async def keys_with(world: EngineWorld, text: str) -> list[bytes]:
    """Keys that hold the text in their name or, where they are sets, in a member; streams left out."""
    found = []
    for key in sorted(await world.client.execute("KEYS", "*")):
        kind = (await world.client.execute("TYPE", key)).decode()
        members: list[bytes] = []
        if kind == "zset":
            members = await world.client.execute("ZRANGE", key, 0, -1)
        elif kind == "set":
            members = await world.client.execute("SMEMBERS", key)
        elif kind == "hash" and key.endswith(b":functions"):
            members = await world.client.execute("HKEYS", key)
        if any(text.encode() in name for name in (key, *members)):
            found.append(key)
    return found
