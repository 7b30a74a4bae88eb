"""Cron: ticks, what is missed, what changes (spec 02, chapter 8)."""

from datetime import UTC, datetime

import msgspec
import pytest

from apps.engine import cron
from apps.engine.functions import FunctionSpec, Trigger
from tests.integration.engine.engine_world import KEYS, EngineWorld, function

FAR = 9_999_999_999_999
TIMED_OUT_INVOKE = (
    b'{"error":{"error":"InngestInvokeTimeoutError: Timed out waiting for invoked function to complete",'
    b'"message":"Timed out waiting for invoked function to complete","name":"InngestInvokeTimeoutError"}}'
)


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def scheduled(function_id: str, *crons: str, **changes: object) -> FunctionSpec:
    return function(function_id, triggers=tuple(Trigger(cron=cron) for cron in crons), **changes)


async def ticks(world: EngineWorld) -> dict[str, int]:
    flat = await world.client.execute("ZRANGE", f"{KEYS.prefix}:cron", 0, -1, "WITHSCORES")
    return {flat[i].decode(): int(float(flat[i + 1])) for i in range(0, len(flat), 2)}


async def follow_and_fire(world: EngineWorld) -> None:
    await world.timers.turn()


async def test_a_tick_sends_one_event_to_its_function(engine_world: EngineWorld) -> None:
    world = engine_world
    world.now = ms("2026-11-23 12:59:30")
    await world.publish(
        scheduled("fn", "TZ=Europe/Paris */30 * * * *"), function("other", "inngest/scheduled.timer")
    )
    await follow_and_fire(world)
    assert list((await ticks(world)).values()) == [ms("2026-11-23 13:00:00")]
    assert await world.events() == []
    world.now = ms("2026-11-23 13:00:00") + 34
    await follow_and_fire(world)
    await follow_and_fire(world)
    (event,) = await world.events()
    assert msgspec.json.decode(event.body) == {
        "data": {
            "cron": "TZ=Europe/Paris */30 * * * *",
            "fireAt": "2026-11-23T13:00:00Z",
            "scheduledAt": "2026-11-23T13:00:00Z",
        },
        "id": "2026-11-23T13:00:00Z",
        "name": "inngest/scheduled.timer",
        "ts": ms("2026-11-23 13:00:00"),
        "user": {},
    }
    assert list((await ticks(world)).values()) == [ms("2026-11-23 13:30:00")]
    (handled,) = await world.handle()
    assert len(handled.run_ids) == 1
    item, state = await world.lease_one()
    assert (item.function_id, state.meta.schedule_type) == ("fn", "Cron")


async def test_two_crons_of_a_function_that_coincide_start_one_run(engine_world: EngineWorld) -> None:
    world = engine_world
    world.now = ms("2026-11-23 12:59:30")
    await world.publish(scheduled("fn", "0 * * * *", "*/5 * * * *"))
    await follow_and_fire(world)
    world.now = ms("2026-11-23 13:00:00")
    await follow_and_fire(world)
    handled = await world.handle()
    assert [len(record.run_ids) for record in handled] == [1, 0]
    assert [reason for record in handled for _, reason, _ in record.skipped] == ["Duplicate"]


async def test_jitter_delays_the_run_by_a_time_that_is_always_the_same(engine_world: EngineWorld) -> None:
    world = engine_world
    world.now = ms("2026-11-23 12:59:30")
    trigger = Trigger(cron="0 * * * *", jitter_ms=60_000)
    await world.publish(function("fn", triggers=(trigger,)))
    await follow_and_fire(world)
    world.now = ms("2026-11-23 13:00:00")
    await follow_and_fire(world)
    (event,) = await world.events()
    body = msgspec.json.decode(event.body)
    assert 1_000 <= body["ts"] - world.now < 60_000
    assert (event.context.start_at, body["data"]["scheduledAt"]) == (body["ts"], "2026-11-23T13:00:00Z")
    await world.handle()
    assert await world.lease() == []
    world.now = body["ts"]
    assert (await world.lease_one()).item.due_at == body["ts"]


@pytest.mark.parametrize(
    ("back_at", "fired"),
    [
        ("2026-11-23 13:04:10", ["2026-11-23T13:04:00Z"]),
        ("2026-11-24 09:00:30", ["2026-11-24T09:00:00Z"]),
    ],
)
async def test_of_missed_ticks_only_the_latest_fires(
    engine_world: EngineWorld, back_at: str, fired: list[str]
) -> None:
    world = engine_world
    world.now = ms("2026-11-23 12:59:30")
    await world.publish(scheduled("fn", "* * * * *"))
    await follow_and_fire(world)
    world.now = ms(back_at)
    await follow_and_fire(world)
    await follow_and_fire(world)
    assert [msgspec.json.decode(event.body)["id"] for event in await world.events()] == fired


@pytest.mark.parametrize(("late_by_s", "fired"), [(600, 1), (601, 0)])
async def test_a_tick_that_was_missed_long_ago_is_gone(
    engine_world: EngineWorld, late_by_s: int, fired: int
) -> None:
    world = engine_world
    world.now = ms("2026-11-23 12:59:30")
    await world.publish(scheduled("fn", "0 13 * * *"))
    await follow_and_fire(world)
    world.now = ms("2026-11-23 13:00:00") + late_by_s * 1_000
    await follow_and_fire(world)
    assert len(await world.events()) == fired
    assert list((await ticks(world)).values()) == [ms("2026-11-24 13:00:00")]


async def test_after_years_away_the_missed_ticks_cost_nothing(
    engine_world: EngineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = engine_world
    world.now = ms("2026-11-23 12:59:30")
    await world.publish(scheduled("fn", "* * * * *"))
    await follow_and_fire(world)
    world.now = ms("2030-11-23 12:59:30")
    asked = 0
    next_tick_ms = cron.next_tick_ms

    def counted(expression: str, after: int) -> int | None:
        nonlocal asked
        asked += 1
        return next_tick_ms(expression, after)

    monkeypatch.setattr(cron, "next_tick_ms", counted)
    await follow_and_fire(world)
    assert asked < 20
    assert [msgspec.json.decode(event.body)["id"] for event in await world.events()] == [
        "2030-11-23T12:59:00Z"
    ]


async def test_the_schedule_follows_the_functions(engine_world: EngineWorld) -> None:
    world = engine_world
    world.now = ms("2026-11-23 12:59:30")
    await world.publish(scheduled("fn", "0 * * * *"), scheduled("gone", "0 * * * *"))
    await follow_and_fire(world)
    await world.publish(scheduled("fn", "30 * * * *", version=2))
    await world.publish(scheduled("gone", "0 * * * *", version=2, archived=True))
    world.now = ms("2026-11-23 13:00:00")
    await follow_and_fire(world)
    assert await world.events() == []
    assert list((await ticks(world)).values()) == [ms("2026-11-23 13:30:00")]


async def test_a_sync_just_before_a_tick_does_not_lose_it(engine_world: EngineWorld) -> None:
    world = engine_world
    world.now = ms("2026-11-23 12:59:30")
    await world.publish(scheduled("fn", "0 * * * *"))
    await follow_and_fire(world)
    await world.publish(scheduled("fn", "0 * * * *", version=2))
    world.now = ms("2026-11-23 13:00:00")
    await follow_and_fire(world)
    assert len(await world.events()) == 1


async def test_a_change_is_followed_though_something_else_noticed_it_first(engine_world: EngineWorld) -> None:
    world = engine_world
    world.now = ms("2026-11-23 12:59:30")
    await follow_and_fire(world)
    await world.publish(scheduled("fn", "0 * * * *"))
    await world.timers._functions.refresh()  # as ending a run of an unknown function does
    await follow_and_fire(world)
    assert len(await ticks(world)) == 1


async def test_a_cron_that_never_comes_is_not_scheduled(engine_world: EngineWorld) -> None:
    await engine_world.publish(scheduled("fn", "0 0 30 2 *"))
    await follow_and_fire(engine_world)
    assert await ticks(engine_world) == {}
