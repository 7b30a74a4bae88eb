"""Leases, commits and what happens when they end (spec 02, 5.7 and appendix E)."""

from tests.integration.engine.queue_world import World

SAVE = ("S", "step1", b'{"data":1}', "0")
FINISH = ("F", 0)


async def test_a_leased_item_comes_with_the_state_of_its_run(world: World) -> None:
    await world.schedule("r1")
    item, state = await world.lease_one()
    assert (item.kind, item.run_id, item.attempt, item.generation, item.position) == ("start", "r1", 0, 1, 0)
    assert state.events_json == b'[{"data":{}}]'
    assert (state.version, state.stack, state.memos) == (-1, [], {})
    assert await world.lease() == []


async def test_no_item_is_leased_before_it_is_due(world: World) -> None:
    await world.schedule("r1", due=world.now + 5_000)
    batch = await world.queue.lease(10)
    assert (batch.leased, batch.next_due_at) == ([], world.now + 5_000)
    world.advance(4_999)
    assert await world.lease() == []
    world.advance(1)
    assert await world.runs() == ["r1"]


async def test_items_of_one_function_go_by_score_then_by_arrival(world: World) -> None:
    await world.schedule("late", score=world.now + 5)
    await world.schedule("first", score=world.now)
    await world.schedule("second", score=world.now)
    await world.schedule("urgent", score=world.now - 600_000)
    assert await world.runs() == ["urgent", "first", "second", "late"]


async def test_saving_a_step_schedules_one_discovery(world: World) -> None:
    await world.schedule("r1")
    item, _ = await world.lease_one()
    result = await world.commit(item, *SAVE, version=2)
    assert (result.outcome, result.state_version, result.next_item) == ("ok", 1, None)
    following, state = await world.lease_one()
    assert (following.kind, following.position, following.attempt) == ("edge", 1, 0)
    assert (state.version, state.stack, state.memos) == (2, ["step1"], {"step1": b'{"data":1}'})


async def test_the_request_version_of_a_run_is_fixed_by_its_first_answer(world: World) -> None:
    await world.schedule("r1")
    item, _ = await world.lease_one()
    await world.commit(item, *SAVE, version=1)
    item, _ = await world.lease_one()
    await world.commit(item, "S", "step2", b"1", "0", version=2)
    assert (await world.lease_one()).state.version == 1


async def test_a_commit_may_continue_into_the_next_item(world: World) -> None:
    await world.schedule("r1")
    item, _ = await world.lease_one()
    result = await world.commit(item, *SAVE, go_on=True)
    assert result.next_item is not None
    assert (result.next_item.kind, result.next_item.run_id) == ("edge", "r1")
    assert await world.lease() == []
    assert await world.zset("leases") == [result.next_item.id]


async def test_a_commit_does_not_continue_past_older_work_of_the_function(world: World) -> None:
    await world.configure("fn", limit=1)
    await world.schedule("young")
    item, _ = await world.lease_one()
    await world.schedule("old", score=world.now - 10)
    result = await world.commit(item, *SAVE, go_on=True)
    assert result.next_item is None
    assert await world.runs() == ["old"]


async def test_a_first_write_wins(world: World) -> None:
    await world.schedule("r1")
    item, _ = await world.lease_one()
    assert await world.queue.checkpoint("r1", item.id, 1, b"", 1_000, [("step1", b"first")], []) == "ok"
    await world.commit(item, "S", "step1", b"second", "0")
    assert (await world.lease_one()).state.memos == {"step1": b"first"}


async def test_a_retry_keeps_the_item_and_counts(world: World) -> None:
    await world.schedule("r1")
    item, _ = await world.lease_one()
    await world.commit(item, "R", world.now + 1_000, 1, "")
    assert await world.lease() == []
    world.advance(1_000)
    again, _ = await world.lease_one()
    assert (again.id, again.attempt, again.generation) == (item.id, 1, 2)


async def test_a_late_commit_changes_nothing(world: World) -> None:
    await world.schedule("r1")
    item, _ = await world.lease_one()
    world.advance(20_001)
    await world.queue.library.call("sweep", world.now, 100)
    again, _ = await world.lease_one()
    assert (again.attempt, again.generation) == (0, 2)
    assert (await world.commit(item, *SAVE)).outcome == "gone"
    assert (await world.queue.state("r1")).memos == {}  # type: ignore[union-attr]  # the run lives
    assert (await world.commit(again, *SAVE)).outcome == "ok"


async def test_after_ten_ended_leases_each_costs_an_attempt(world: World) -> None:
    await world.schedule("r1")
    attempts = []
    for _ in range(12):
        item, _state = await world.lease_one()
        attempts.append(item.attempt)
        world.advance(20_001)
        await world.queue.library.call("sweep", world.now, 100)
    assert attempts == [0] * 11 + [1]


async def test_extending_keeps_a_lease_and_tells_of_lost_ones(world: World) -> None:
    await world.schedule("r1")
    await world.schedule("r2")
    first, second = [leased.item for leased in await world.lease()]
    await world.commit(second, *FINISH)
    world.advance(15_000)
    assert await world.queue.extend([first, second]) == {second.id}
    world.advance(15_000)
    await world.queue.library.call("sweep", world.now, 100)
    assert (await world.commit(first, *SAVE)).outcome == "ok"


async def test_the_end_of_a_run_leaves_nothing(world: World) -> None:
    await world.schedule("r1", start_deadline=world.now + 60_000)
    item, _ = await world.lease_one()
    operations = ("Q", 2, "a", "b", "P", "a", "0", "Z", "b", world.now + 9_000, "0", b"")
    await world.commit(item, *operations, "L", "d", "{}", version=2)
    step, _ = await world.lease_one()
    assert (await world.commit(step, *FINISH)).outcome == "ok"
    assert await world.keys() == set()


async def test_the_answer_of_a_request_whose_run_ended_gives_its_slot_back(world: World) -> None:
    await world.configure("fn", limit=1)
    await world.schedule("r1")
    await world.schedule("r2")
    item, _ = await world.lease_one()
    assert await world.queue.library.call("finish", "r1", b"", "", 0) == 1
    assert await world.queue.library.call("finish", "r1", b"", "", 0) == 0
    assert await world.lease() == []
    assert (await world.commit(item, *SAVE)).outcome == "ended"
    assert await world.runs() == ["r2"]


async def test_an_entry_schedules_a_function_once(world: World) -> None:
    assert await world.schedule("r1", entry="5-1") == ("created", "r1")
    assert await world.schedule("r2", entry="5-1") == ("known", "r1")
    assert await world.runs() == ["r1"]


async def test_an_idempotency_key_outlives_its_run(world: World) -> None:
    assert await world.schedule("r1", entry="5-1", idempotency="fn:k") == ("created", "r1")
    item, _ = await world.lease_one()
    await world.commit(item, *FINISH)
    assert await world.schedule("r2", entry="5-2", idempotency="fn:k") == ("duplicate", "r1")
    assert await world.lease() == []


async def test_a_rerun_starts_with_its_memos_and_its_target(world: World) -> None:
    await world.schedule("r1", memos=[("a", b"1"), ("b", b"2")], target=("c", b"[5]"))
    item, state = await world.lease_one()
    assert (item.step_id, item.position) == ("c", 2)
    assert (state.stack, state.memos) == (["a", "b"], {"a": b"1", "b": b"2"})
    assert (state.input_step, state.input) == ("c", b"[5]")


async def test_a_rate_limit_admits_within_a_sliding_window(world: World) -> None:
    rate = ("fn:key", 2, 60_000)
    outcomes = [(await world.schedule(f"r{n}", entry=f"5-{n}", rate=rate))[0] for n in range(3)]
    assert outcomes == ["created", "created", "limited"]
    world.advance(59_999)
    assert (await world.schedule("r3", entry="6-1", rate=rate))[0] == "limited"
    world.advance(1)
    assert (await world.schedule("r4", entry="6-2", rate=rate))[0] == "created"
    assert (await world.schedule("r5", entry="6-3", rate=("fn:other", 2, 60_000)))[0] == "created"


async def test_a_repeated_entry_gets_its_first_verdict(world: World) -> None:
    rate = ("fn:key", 1, 60_000)
    assert await world.schedule("r1", entry="5-1", rate=rate) == ("created", "r1")
    assert await world.schedule("r2", entry="5-2", rate=rate) == ("limited", "")
    world.advance(60_000)
    assert await world.schedule("r3", entry="5-2", rate=rate) == ("limited", "")
    assert await world.schedule("r4", entry="5-1", rate=rate) == ("known", "r1")


async def test_a_duplicate_takes_no_place_in_a_rate_limit(world: World) -> None:
    rate = ("fn:key", 2, 60_000)
    await world.schedule("r1", entry="5-1", idempotency="fn:k", rate=rate)
    assert (await world.schedule("r2", entry="5-2", idempotency="fn:k", rate=rate))[0] == "duplicate"
    assert (await world.schedule("r3", entry="5-3", rate=rate))[0] == "created"


async def test_an_item_goes_on_in_place_as_a_new_job(world: World) -> None:
    await world.configure("fn", limit=1)
    await world.schedule("r1")
    first, _ = await world.lease_one()
    second = (await world.commit(first, *SAVE, go_on=True)).next_item
    assert second is not None
    assert (second.id, second.job_id, second.generation) == (first.id, f"{first.id}.1", 1)
    assert second.token != first.token
    assert (await world.commit(first, "S", "step2", b"2", "0")).outcome == "gone"
    assert await world.queue.checkpoint("r1", first.job_id, 1, b"", 1_000, [("x", b"1")], []) == "stale"
    assert await world.queue.checkpoint("r1", second.job_id, 1, b"", 1_000, [("y", b"1")], []) == "ok"
    third = (await world.commit(second, "S", "step2", b"2", "0", go_on=True)).next_item
    assert third is not None
    assert third.job_id == f"{first.id}.2"
    await world.commit(third, *FINISH)
    assert await world.keys() == set()


async def test_an_item_that_went_on_in_place_counts_its_attempts_anew(world: World) -> None:
    await world.schedule("r1")
    item, _ = await world.lease_one()
    await world.commit(item, "R", world.now, 1, "")
    item, _ = await world.lease_one()
    assert (item.attempt, item.generation) == (1, 2)
    following = (await world.commit(item, *SAVE, go_on=True)).next_item
    assert following is not None
    assert (following.attempt, following.generation, following.job_id) == (0, 1, f"{item.id}.1")


async def test_a_lowered_limit_ends_going_on_in_place(world: World) -> None:
    await world.configure("fn", limit=2)
    for number in range(2):
        await world.schedule(f"r{number}")
    first, _second = await world.lease()
    await world.configure("fn", limit=1)
    assert (await world.commit(first.item, *SAVE, go_on=True)).next_item is None
    assert await world.lease() == []


async def test_a_lost_lease_of_an_item_in_place_goes_back(world: World) -> None:
    await world.schedule("r1")
    item, _ = await world.lease_one()
    await world.commit(item, *SAVE, go_on=True)
    world.advance(20_001)
    await world.queue.library.call("sweep", world.now, 100)
    again, state = await world.lease_one()
    assert (again.job_id, again.generation, again.kind) == (f"{item.id}.1", 2, "edge")
    assert state.stack == ["step1"]
