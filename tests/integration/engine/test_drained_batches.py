"""Batches of a function that is drained (spec 02, 4.4 rule 10 and 12.5)."""

from apps.engine.functions import Batch
from apps.engine.records import RunScheduled
from tests.integration.engine.engine_world import EngineWorld, function

BATCH = Batch(3, 5_000)


async def test_open_batch_of_a_drained_function_still_runs(engine_world: EngineWorld) -> None:
    await engine_world.publish(function("fn", "app/go", batch=BATCH))
    await engine_world.send("app/go")
    await engine_world.handle_all()
    await engine_world.publish(function("fn", "app/go", batch=BATCH, drained=True, version=2))
    engine_world.advance(5_000)
    await engine_world.queue.library.call("tick", engine_world.now, 100)
    await engine_world.handle_all()
    (run,) = await engine_world.records(RunScheduled)
    assert (run.schedule_type, run.skip_reason) == ("Batch", "")


async def test_events_of_a_drained_function_are_skipped_not_collected(engine_world: EngineWorld) -> None:
    await engine_world.publish(function("fn", "app/go", batch=BATCH, drained=True))
    await engine_world.send("app/go")
    (handled,) = await engine_world.handle_all()
    (skipped,) = await engine_world.records(RunScheduled)
    assert skipped.skip_reason == "FunctionDrained"
    assert handled.skipped == [("fn", "FunctionDrained", skipped.run_id)]
    assert await engine_world.client.execute("KEYS", "*:bt:*") == []
