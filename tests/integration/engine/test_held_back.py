"""Debounces and batches (spec 02, 4.3, 4.4 and appendices B.4, B.5): what fires, when, and with what."""

import pytest

from apps.engine.flow.admission import Batched, Debounced, Flow
from tests.integration.engine.flow_world import tick
from tests.integration.engine.queue_world import PREFIX, World

MB = 1024 * 1024


async def debounce(
    world: World,
    name: str,
    *,
    ts: int | None = None,
    period: int = 10_000,
    timeout: int = 0,
    bucket: str = "fn",
) -> tuple[str, str]:
    """Outcome, and the correlation id of the event that this one replaces."""
    held = Debounced(bucket, ts or world.now, period, timeout, name, "e", "ctx", f"c-{name}")
    flow = Flow(debounce=held)
    outcome, _, detail = await world.verdict(name, entry=f"1-{name[1:]}", flow=flow, events=body(name))
    return outcome, detail


def body(name: str) -> bytes:
    return b'[{"n":"%s"}]' % name.encode()


async def batch(
    world: World,
    name: str,
    *,
    size: int = 3,
    bucket: str = "fn",
    once: str | None = None,
    events: bytes = b"",
) -> tuple[str, str]:
    """Outcome, and the id of the batch."""
    held = Batched(bucket, size, 5_000, f"batch-{name}", name, "e", "ctx", "-", once)
    outcome, _, detail = await world.verdict(name, flow=Flow(batch=held), events=events or body(name))
    return outcome, detail


async def fired(world: World) -> list[dict[str, str]]:
    """The entries that have come to the event stream since the last call."""
    entries = await world.client.execute("XRANGE", f"{PREFIX}:events", "-", "+")
    await world.client.execute("XTRIM", f"{PREFIX}:events", "MAXLEN", 0)
    return [
        {fields[at].decode(): fields[at + 1].decode() for at in range(0, len(fields), 2)}
        for _, fields in entries
    ]


async def bodies(world: World) -> list[str]:
    return [entry["b"] for entry in await fired(world)]


async def test_a_debounce_follows_the_timeline_of_the_appendix(world: World) -> None:
    began = world.now
    assert await debounce(world, "e1", timeout=25_000) == ("debounced", "")
    assert await tick(world) == began + 10_000
    world.now = began + 8_000
    assert await debounce(world, "e2", timeout=25_000) == ("debounced", "c-e1")
    assert await tick(world) == began + 18_000
    world.now = began + 15_000
    assert await debounce(world, "e3", ts=began + 7_999, timeout=25_000) == ("outdated", "")
    assert await tick(world) == began + 18_000
    world.now = began + 17_000
    assert await debounce(world, "e4", timeout=25_000) == ("debounced", "c-e2")
    assert await tick(world) == began + 25_000
    world.now = began + 24_999
    await tick(world)
    assert await fired(world) == []
    world.now = began + 25_000
    assert await tick(world) is None
    assert await fired(world) == [
        {"i": "e4", "e": "env", "a": "acc", "n": "e", "b": '{"n":"e4"}', "x": "ctx"}
    ]
    world.now = began + 25_500
    assert await debounce(world, "e5", timeout=25_000) == ("debounced", "")
    assert await tick(world) == began + 35_500


async def test_the_latest_time_of_a_debounce_is_that_of_its_first_event(world: World) -> None:
    """Period 3 s, timeout 5 s, an event a second: fires with the event of 4 s, and again with that of 9 s."""
    began, found = world.now, []
    for second in range(11):
        world.now = began + second * 1_000
        await tick(world)
        found += [(second, text) for text in await bodies(world)]
        await debounce(world, f"e{second}", period=3_000, timeout=5_000)
    assert found == [(5, '{"n":"e4"}'), (10, '{"n":"e9"}')]


async def test_an_event_of_the_same_time_replaces(world: World) -> None:
    await debounce(world, "e1", ts=5)
    assert await debounce(world, "e2", ts=5) == ("debounced", "c-e1")


async def test_debounces_of_other_keys_are_other_debounces(world: World) -> None:
    await debounce(world, "e1", bucket="fn:a")
    world.advance(1)
    await debounce(world, "e2", bucket="fn:b")
    world.advance(9_999)
    await tick(world)
    assert await bodies(world) == ['{"n":"e1"}']
    world.advance(1)
    await tick(world)
    assert await bodies(world) == ['{"n":"e2"}']


async def test_a_repeated_entry_does_not_debounce_again(world: World) -> None:
    began = world.now
    await debounce(world, "e1")
    await debounce(world, "e2")
    world.advance(4_000)
    assert await debounce(world, "e1") == ("debounced", "")
    assert await tick(world) == began + 10_000
    world.now = began + 10_000
    await tick(world)
    assert await bodies(world) == ['{"n":"e2"}']


async def test_a_batch_follows_the_timeline_of_the_appendix(world: World) -> None:
    began = world.now
    for at, name in ((0, "a1"), (1_000, "b1"), (2_000, "a2"), (3_000, "a3")):
        assert await fired(world) == []
        world.now = began + at
        await batch(world, name, bucket=name[0])
    (full,) = await fired(world)
    assert full == {
        "i": "batch-a1", "e": "env", "a": "acc", "n": "e", "b": '[{"n":"a1"},{"n":"a2"},{"n":"a3"}]',
        "x": "ctx", "l": "a1 a2 a3", "c": "- - -",
    }  # fmt: skip
    world.now = began + 3_500
    assert await batch(world, "a4", bucket="a") == ("batched", "batch-a4")
    assert await tick(world) == began + 6_000
    world.now = began + 6_000
    assert await tick(world) == began + 8_500
    assert await bodies(world) == ['[{"n":"b1"}]']
    world.now = began + 8_499
    await tick(world)
    assert await fired(world) == []
    world.now = began + 8_500
    assert await tick(world) is None
    assert await bodies(world) == ['[{"n":"a4"}]']


async def test_the_time_of_a_batch_that_is_full_starts_nothing(world: World) -> None:
    for name in ("a1", "a2", "a3"):
        await batch(world, name)
    assert len(await fired(world)) == 1
    world.advance(5_000)
    assert await tick(world) is None
    assert await fired(world) == []


async def test_an_event_tells_the_batch_that_it_is_in(world: World) -> None:
    assert [await batch(world, name) for name in ("a1", "a2", "a3", "a4")] == [
        ("batched", "batch-a1"), ("batched", "batch-a1"), ("batched", "batch-a1"), ("batched", "batch-a4"),
    ]  # fmt: skip


async def test_a_batch_of_ten_megabytes_starts(world: World) -> None:
    whole = b'["' + b"x" * (5 * MB - 2) + b'"]'
    await batch(world, "a1", size=100, events=whole)
    assert await fired(world) == []
    await batch(world, "a2", size=100, events=whole)
    assert [entry["l"] for entry in await fired(world)] == ["a1 a2"]


async def test_an_event_that_overflows_opens_the_next_batch(world: World) -> None:
    await batch(world, "a1", size=100, events=b'["' + b"x" * (6 * MB) + b'"]')
    assert await batch(world, "a2", size=100, events=b'["' + b"y" * (6 * MB) + b'"]') == (
        "batched",
        "batch-a2",
    )
    assert [entry["l"] for entry in await fired(world)] == ["a1"]
    world.advance(5_000)
    await tick(world)
    assert [entry["l"] for entry in await fired(world)] == ["a2"]


async def test_an_internal_id_is_batched_once_in_half_an_hour(world: World) -> None:
    assert (await batch(world, "a1", once="01A"))[0] == "batched"
    assert (await batch(world, "a2", once="01A"))[0] == "duplicate"
    assert (await batch(world, "a3", once="01B"))[0] == "batched"
    world.advance(5_000)
    await tick(world)
    assert await bodies(world) == ['[{"n":"a1"},{"n":"a3"}]']
    assert await world.client.execute("TTL", f"{PREFIX}:bd:01A") == pytest.approx(1_800, abs=5)


async def test_a_repeated_entry_is_in_its_batch_once(world: World) -> None:
    held = Batched("fn", 3, 5_000, "batch-1", "e1", "e", "ctx", "-")
    for _ in range(3):
        assert await world.verdict("r1", entry="1-1", flow=Flow(batch=held)) == ("batched", "", "batch-1")
    world.advance(5_000)
    await tick(world)
    assert await bodies(world) == ['[{"data":{}}]']
