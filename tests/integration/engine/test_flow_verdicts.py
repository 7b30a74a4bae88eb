"""What an event meets before there is a run (spec 02, 1.4): rate limit, singleton; the same answer twice."""

import asyncio
import itertools
from collections import Counter
from typing import Any

import pytest

from apps.engine.flow.admission import Flow, Rate, lock_of, rate_of
from apps.engine.flow.keys import KeyReader
from apps.engine.flow.policy import FlowPolicy
from apps.engine.functions import FunctionSpec, RateLimit, Singleton
from tests.integration.engine.flow_world import cancel, finish, in_leaf
from tests.integration.engine.queue_world import PREFIX, World

HOUR, MINUTE = 3_600_000, 60_000
_numbers = itertools.count()
GCRA = FlowPolicy(rate_limit_mode="gcra")


def spec(**settings: Any) -> FunctionSpec:
    return FunctionSpec("fn", "app-fn", "Fn", "app", "app", "env", "acc", 1, "http://x", **settings)


def event(**data: object) -> KeyReader:
    return KeyReader(lambda: {"data": data})


def singleton(mode: str = "skip", lock: str = "fn") -> Flow:
    return Flow(lock=lock, lock_mode=mode)


def rate(limit: int, period: int, policy: FlowPolicy) -> Flow:
    return Flow(rate=rate_of(spec(rate_limit=RateLimit(limit, period)), event(), policy))


async def admitted(world: World, flow: Flow, count: int) -> int:
    """How many of `count` events at once become runs."""
    outcomes = [await world.schedule(f"run{next(_numbers)}", flow=flow) for _ in range(count)]
    found = Counter(outcome for outcome, _ in outcomes)
    assert found.keys() <= {"created", "limited"}
    return found["created"]


@pytest.mark.parametrize(
    ("limit", "period", "at_once", "interval"),
    [(1, HOUR, 1, HOUR), (10, HOUR, 2, 6 * MINUTE), (20, HOUR, 3, 3 * MINUTE), (100, MINUTE, 11, 600)],
)
async def test_gcra_admits_its_burst_and_then_one_at_a_time(
    world: World, limit: int, period: int, at_once: int, interval: int
) -> None:
    flow = rate(limit, period, GCRA)
    assert await admitted(world, flow, 20) == at_once
    for _ in range(3):
        world.advance(interval - 1)
        assert await admitted(world, flow, 1) == 0
        world.advance(1)
        assert await admitted(world, flow, 2) == 1


async def test_gcra_follows_the_timeline_of_the_appendix(world: World) -> None:
    flow, began, found = rate(10, HOUR, GCRA), world.now, []
    for minute in (0, 1, 2, 6, 7, 12):
        world.now = began + minute * MINUTE
        found.append(await admitted(world, flow, 1))
    assert found == [1, 1, 0, 1, 0, 1]


async def test_a_window_admits_as_many_as_its_limit_in_any_period(world: World) -> None:
    flow, began, found = rate(3, HOUR, FlowPolicy()), world.now, []
    for minute in (0, 10, 10, 59, 60, 61, 70, 70, 71):
        world.now = began + minute * MINUTE
        found.append(await admitted(world, flow, 1))
    assert found == [1, 1, 1, 0, 1, 0, 1, 1, 0]


async def test_what_is_limited_consumes_nothing(world: World) -> None:
    flow = rate(1, HOUR, FlowPolicy())
    assert await admitted(world, flow, 50) == 1
    world.advance(HOUR)
    assert await admitted(world, flow, 50) == 1


@pytest.mark.parametrize(
    ("data", "bucket"), [({"free": True, "user": 7}, True), ({"free": False}, False), ({}, False)]
)
def test_a_key_of_false_or_a_missing_field_is_not_limited(data: dict[str, object], bucket: bool) -> None:
    rule = spec(rate_limit=RateLimit(1, HOUR, "event.data.free && event.data.user"))
    assert (rate_of(rule, event(**data), GCRA) is not None) is bucket


async def test_of_twenty_at_once_one_holds_the_lock(world: World) -> None:
    found = await asyncio.gather(*(world.verdict(f"r{number}", flow=singleton()) for number in range(20)))
    assert found[0] == ("created", "r0", "1")
    assert found[1:] == [("singleton", "", "r0")] * 19
    assert await world.runs() == ["r0"]


async def test_a_lock_is_held_to_the_end_of_the_run(world: World) -> None:
    await world.schedule("r1", flow=singleton())
    leased = await world.lease_one()
    await world.commit(leased.item, "Z", "z", world.now + 60_000, "0", b"")
    assert await world.verdict("r2", flow=singleton()) == ("singleton", "", "r1")
    world.advance(60_000)
    await finish(world, await world.lease_one())
    assert await world.verdict("r2", flow=singleton()) == ("created", "r2", "1")


async def test_locks_of_other_keys_are_other_locks(world: World) -> None:
    await world.schedule("r1", flow=singleton(lock="fn:a"))
    assert await world.verdict("r2", flow=singleton(lock="fn:b")) == ("created", "r2", "2")


async def test_mode_cancel_names_the_run_to_be_cancelled_and_takes_nothing_before(world: World) -> None:
    await world.schedule("r1", flow=singleton("cancel"))
    assert await world.verdict("r2", entry="1-1", flow=singleton("cancel")) == ("holder", "", "r1")
    assert await world.client.execute("GET", f"{PREFIX}:sg:fn") == b"r1"
    await cancel(world, "r1")
    assert await world.verdict("r2", entry="1-1", flow=singleton("cancel")) == ("created", "r2", "1")
    assert await world.runs() == ["r2"]


async def test_the_end_of_a_run_that_lost_its_lock_leaves_the_lock_alone(world: World) -> None:
    await world.schedule("r1", flow=singleton("cancel"))
    await world.client.execute("SET", f"{PREFIX}:sg:fn", "r2")
    await cancel(world, "r1")
    assert await world.client.execute("GET", f"{PREFIX}:sg:fn") == b"r2"


def test_a_missing_or_false_key_is_no_singleton() -> None:
    rule = spec(singleton=Singleton("skip", "event.data.user"))
    assert lock_of(rule, event()) == ""
    assert lock_of(rule, event(user=False)) == ""
    assert lock_of(rule, event(user="u")) == f"fn:{rule_digest(rule)}"


def rule_digest(rule: FunctionSpec) -> str:
    assert rule.singleton is not None
    return event(user="u").read("singleton", rule.singleton.key).digest


async def test_a_repeated_entry_gets_the_same_verdict(world: World) -> None:
    limited = Flow(rate=Rate("b", 1, HOUR))
    assert await world.verdict("r1", entry="1-1", flow=limited) == ("created", "r1", "1")
    assert await world.verdict("r2", entry="1-2", flow=limited) == ("limited", "", "")
    world.advance(HOUR)
    assert await world.verdict("r2", entry="1-2", flow=limited) == ("limited", "", "")
    assert await world.verdict("r9", entry="1-1", flow=limited) == ("known", "r1", "")
    assert await world.verdict("r3", entry="1-3", flow=limited) == ("created", "r3", "2")


async def test_a_repeated_entry_is_skipped_for_the_same_run_again(world: World) -> None:
    await world.schedule("r1", flow=singleton())
    assert await world.verdict("r2", entry="1-2", flow=singleton()) == ("singleton", "", "r1")
    await cancel(world, "r1")
    assert await world.verdict("r2", entry="1-2", flow=singleton()) == ("singleton", "", "r1")
    await world.configure("fn", paused=True)
    assert await world.verdict("r3", entry="1-3") == ("paused", "", "")
    await world.configure("fn")
    assert await world.verdict("r3", entry="1-3") == ("paused", "", "")


async def test_an_entry_that_waits_for_a_lock_passes_its_rate_limit_once(world: World) -> None:
    await world.schedule("r1", flow=singleton("cancel"))
    flow = Flow(rate=Rate("b", 1, HOUR), lock="fn", lock_mode="cancel")
    assert (await world.verdict("r2", entry="1-2", flow=flow))[0] == "holder"
    await cancel(world, "r1")
    assert (await world.verdict("r2", entry="1-2", flow=flow))[0] == "created"
    assert (await world.verdict("r3", entry="1-3", flow=flow))[0] == "limited"


async def test_a_singleton_of_a_paused_function_says_singleton(world: World) -> None:
    await world.schedule("r1", flow=singleton())
    await world.configure("fn", paused=True)
    assert (await world.verdict("r2", flow=singleton()))[0] == "singleton"
    assert (await world.verdict("r3", flow=in_leaf("c:f:fn:a")))[0] == "paused"
