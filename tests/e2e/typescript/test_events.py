"""Events: sent by steps, received by triggers of every kind."""

import pytest

from tests.e2e.harness import SHARD_PREFIX
from tests.e2e.typescript.sdk_app import SdkApp

pytestmark = pytest.mark.needs_node


def test_step_sends_events(app: SdkApp, key: str) -> None:
    output = app.run("sends", key)["output"]
    app.process.wait_for_label(key, "heard", count=2)
    one, two = sorted(app.calls(key, "heard"), key=lambda call: int(call["number"]))
    assert (one["number"], two["number"]) == (1, 2)
    assert (two["ts"], two["user"]) == (1700000000123, {"name": "Zoë"})
    (first_id,), (second_id, third_id) = output["one"], output["many"]
    assert [len(app.stepwell.runs(event_id)) for event_id in (first_id, second_id, third_id)] == [1, 1, 0]
    assert len({first_id, second_id, third_id}) == 3


def test_event_id_that_comes_twice(app: SdkApp, key: str) -> None:
    event = {"name": f"{app.prefix}/plain", "data": {"key": key}, "id": f"id é {key}"}
    (first,) = app.stepwell.send_many([event])
    app.stepwell.wait_for_run(first)
    app.stepwell.send_many([event])
    app.run("plain", f"{key}-after")
    assert app.labels(key) == ["body"]


def test_batch_of_events(app: SdkApp, key: str) -> None:
    keys = [f"{key}-{number}" for number in range(20)]
    events = [{"name": f"{app.prefix}/plain", "data": {"key": one}} for one in keys]
    ids = app.stepwell.send_many(events)
    assert len(set(ids)) == 20
    outputs = [app.stepwell.wait_for_run(event_id)["output"]["data"]["key"] for event_id in ids]
    assert outputs == keys


def test_several_triggers(app: SdkApp, key: str) -> None:
    """The second one has a condition."""
    assert app.run("several.one", key)["output"] == f"{app.prefix}/several.one"
    assert app.run("several.two", key, wanted=True)["output"] == f"{app.prefix}/several.two"
    unwanted = app.send("several.two", key, wanted=False)
    app.run("several.one", key)
    assert app.stepwell.runs(unwanted) == []


def test_wildcard_trigger(app: SdkApp, key: str) -> None:
    for name in ("wild.one", "wild.two.three"):
        assert app.run(name, key)["output"] == f"{app.prefix}/{name}"
    unmatched = app.send("wild", key)
    app.run("plain", key)
    assert app.stepwell.runs(unmatched) == []


def test_schedule_is_registered(app: SdkApp) -> None:
    slug = f"{app.prefix}-scheduled"
    (function,) = [one for one in app.stepwell.functions(app.prefix) if one["id"] == slug]
    assert function["config"]["triggers"] == [{"cron": "TZ=Europe/Paris 30 4 1 1 *"}]
    function_id = app.stepwell.function_id(slug)
    ticks = app.stepwell.redis.zscan_iter(f"{SHARD_PREFIX}:cron", f"{function_id}|*")
    assert [str(member).rpartition("|")[2] for member, _ in ticks] == ["TZ=Europe/Paris 30 4 1 1 *"]


def test_idempotency_of_a_function(app: SdkApp, key: str) -> None:
    app.run("once", key, order=key)
    repeated = app.send("once", key, order=key)
    app.run("once", key, order=f"{key}-2")
    assert app.labels(key) == ["body", "body"]
    assert app.stepwell.runs(repeated) == []


def test_limit_of_steps_at_once(app: SdkApp, key: str) -> None:
    """As the app counts them, never more than two run at once, and two do."""
    events = [{"name": f"{app.prefix}/limited", "data": {"key": key}} for _ in range(12)]
    for event_id in app.stepwell.send_many(events):
        app.stepwell.wait_for_run(event_id)
    in_flight = [call["inFlight"] for call in app.calls(key, "work")]
    assert len(in_flight) == 12
    assert set(in_flight) == {1, 2}


def test_run_that_may_not_take_so_long(app: SdkApp, key: str) -> None:
    run = app.run("overdue", key, status="Cancelled")
    assert run.get("output") is None
    assert app.labels(key) == ["before"]
