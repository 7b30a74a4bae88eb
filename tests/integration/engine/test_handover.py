"""What a commit leaves behind: slots, counters, other work (spec 02, 5.7)."""

from tests.integration.engine.queue_world import World

SAVE = ("S", "step1", b"1", "0")


async def test_a_saved_step_frees_the_slot_of_its_account(world: World) -> None:
    await world.configure("other")
    await world.client.execute("HSET", "{q:0}:n:a:acc", "lim", 1)
    await world.schedule("r1")
    for number in range(2):
        await world.schedule(f"o{number}", "other")
    first = await world.lease_one()
    if first.item.run_id != "r1":
        await world.commit(first.item, "F", 0)
        first = await world.lease_one()
    await world.commit(first.item, "E", 100)
    assert len(await world.lease()) == 1


async def test_a_lost_lease_is_forgotten_after_an_answer(world: World) -> None:
    await world.schedule("r1")
    for _ in range(3):
        for _ in range(9):
            await world.lease_one()
            world.advance(20_001)
            await world.queue.library.call("sweep", world.now, 100)
        item, _ = await world.lease_one()
        assert item.attempt == 0
        await world.commit(item, "R", world.now, 0, "")


async def test_nothing_follows_the_end_of_a_run(world: World) -> None:
    """A signal that is taken ends the run: what the same answer asks for besides is not done."""
    await world.schedule("r1")
    await world.schedule("r2")
    first, second = [leased.item for leased in await world.lease()]
    wait = ("s", "go", "0", 9_999_999_999_999, "0", b"")
    await world.commit(first, "G", wait[0], f"{first.run_id}.s", *wait[1:], b"", 0)
    await world.commit(
        second, "G", wait[0], f"{second.run_id}.s", *wait[1:], b"", 0,
        "I", "i", f"{second.run_id}.i", 9_999_999_999_999, "0", 2, "n", "invoke", "F", 1, 2, "n", "finished",
    )  # fmt: skip
    assert await world.queue.state(second.run_id) is None
    assert await world.client.execute("XLEN", "{q:0}:events") == 0


async def test_failures_of_the_own_code_are_counted(world: World) -> None:
    await world.schedule("r1")
    item, state = await world.lease_one()
    assert state.function_errors == 0
    await world.commit(item, "K", "R", world.now, 1, "")
    item, state = await world.lease_one()
    assert (item.attempt, state.function_errors) == (1, 1)
    await world.commit(item, *SAVE)
    item, state = await world.lease_one()
    assert (item.attempt, state.function_errors) == (0, 1)


async def test_a_large_run_ends_in_one_go(world: World) -> None:
    """More items, pauses and deferrals than Lua's stack would take at once."""
    await world.schedule("r1")
    item, _ = await world.lease_one()
    operations: list[str | int | bytes] = []
    for number in range(9_000):
        operations += ["P", f"p{number}", "0"]
        operations += ["W", f"w{number}", f"r1.w{number}", "app/x", "", "*", "*", "1", 9_999_999_999_999, "0"]
    await world.commit(item, *operations, version=2)
    assert await world.queue.library.call("finish", "r1", b"", "", 0) == 1
    assert await world.keys() == set()
