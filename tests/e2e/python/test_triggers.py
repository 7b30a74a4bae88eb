"""What starts runs, and how often: triggers, ids, seeds, batches, schedules."""

import time

import pytest

from tests.e2e.app_process import AppProcess
from tests.e2e.harness import SHARD_PREFIX, Json, Stepwell
from tests.e2e.waiting import wait_until


@pytest.mark.parametrize("name", ["py/several.one", "py/several.two", "py/several.other"])
def test_several_triggers_start_one_run(stepwell: Stepwell, app: AppProcess, key: str, name: str) -> None:
    event_id = stepwell.send(name, {"key": key})
    assert stepwell.wait_for_run(event_id)["output"] == name
    assert len(stepwell.runs(event_id)) == 1
    assert app.labels(key) == ["body"]


def test_wildcard_trigger(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    event_id = stepwell.send("py/wild/deep.name", {"key": key})
    assert stepwell.wait_for_run(event_id)["output"] == "py/wild/deep.name"


def test_trigger_expression(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    """Events that do not match are known to the API, without a run."""
    sent: list[Json] = [
        {"amount": 99, "tags": ["vip"]},
        {"amount": 100, "tags": []},
        {"amount": 100, "tags": ["x", "vip"]},
        {"tags": ["vip"]},
    ]
    ids = stepwell.send_many([{"name": "py/selective", "data": {"key": key, **data}} for data in sent])
    assert stepwell.wait_for_run(ids[2])["output"] == 100
    assert [len(stepwell.runs(event_id)) for event_id in ids] == [0, 0, 1, 0]
    assert app.labels(key) == ["body"]


def test_event_id_sent_twice(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    first = stepwell.send("py/several.one", {"key": key, "n": 1}, id=key)
    second = stepwell.send("py/several.one", {"key": key, "n": 2}, id=key)
    assert first != second
    stepwell.wait_for_run(first)
    marker = stepwell.send("py/several.one", {"key": key, "n": 3})
    stepwell.wait_for_run(marker)
    assert stepwell.runs(second) == []
    assert app.labels(key) == ["body", "body"]


def test_event_id_twice_in_one_batch(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    event = {"name": "py/several.one", "data": {"key": key}, "id": key}
    ids = stepwell.send_many([event, event])
    assert len(set(ids)) == 2
    stepwell.wait_for_run(ids[0])
    stepwell.wait_for_run(stepwell.send("py/several.one", {"key": f"{key}-marker"}))
    assert app.labels(key) == ["body"]


def test_seed_makes_a_repeated_request_harmless(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    headers = {"X-Inngest-Event-Id-Seed": f"{int(time.time() * 1000)},HcP7tNnaYWED8Q=="}
    events = [{"name": "py/several.one", "data": {"key": key, "n": n}} for n in range(3)]
    first = stepwell.send_many(events, headers=headers)
    assert stepwell.send_many(events, headers=headers) == first
    for event_id in first:
        stepwell.wait_for_run(event_id)
    stepwell.wait_for_run(stepwell.send("py/several.one", {"key": f"{key}-marker"}))
    assert [len(stepwell.runs(event_id)) for event_id in first] == [1, 1, 1]
    assert app.labels(key) == ["body"] * 3


def test_large_batch_starts_a_run_per_event(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    events = [{"name": "py/several.two", "data": {"key": key, "n": n}} for n in range(200)]
    ids = stepwell.send_many(events)
    assert len(set(ids)) == 200
    app.wait_for_label(key, "body", count=200, timeout=30)
    assert stepwell.wait_for_run(ids[199])["output"] == "py/several.two"
    assert len(app.labels(key)) == 200


def test_step_sends_events(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    child = {"name": "py/several.one", "data": {"key": f"{key}-child", "é": "<&>"}}
    run = stepwell.wait_for_run(stepwell.send("py/sends", {"key": key, "send": [child, child]}))
    first, second = run["output"]
    assert stepwell.wait_for_run(first)["output"] == "py/several.one"
    assert stepwell.wait_for_run(second)["output"] == "py/several.one"
    assert app.labels(f"{key}-child") == ["body", "body"]


def test_step_sends_a_reserved_name(stepwell: Stepwell, app: AppProcess, key: str) -> None:
    event_id = stepwell.send("py/sends", {"key": key, "send": [{"name": "inngest/x"}]})
    run = stepwell.wait_for_run(event_id, status="Failed")
    assert run["output"]["name"] == "SendEventsError"
    assert run["output"]["message"] == "event name is reserved for internal use: inngest/x"


def test_schedule_fires_once_per_tick(stepwell: Stepwell, app: AppProcess) -> None:
    """29 February, 04:30 in Paris: no tick by itself during a test, so one is moved to now."""
    schedules = f"{SHARD_PREFIX}:cron"
    function_id = stepwell.function_id("py-nightly")
    (member,) = [str(item) for item in stepwell.redis.zrange(schedules, 0, -1) if function_id in str(item)]
    assert member.endswith("|TZ=Europe/Paris 30 4 29 2 *")
    regular = stepwell.redis.zscore(schedules, member)
    assert regular is not None
    assert time.strftime("%m-%d %H:%M", time.gmtime(regular / 1000)) == "02-29 03:30"

    tick = int(time.time()) * 1000
    stepwell.redis.zadd(schedules, {member: tick})
    run = wait_until(lambda: _runs_of(stepwell, "py-nightly"))[0]
    wait_until(lambda: stepwell.redis.zscore(schedules, member) == regular)
    assert run["status"] == "COMPLETED"
    scheduled = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(tick / 1000))
    assert stepwell.run(run["id"])["output"] == {
        "name": "inngest/scheduled.timer",
        "id": scheduled,
        "ts": tick,
        "data": {"cron": "TZ=Europe/Paris 30 4 29 2 *", "scheduledAt": scheduled, "fireAt": scheduled},
    }
    assert len(_runs_of(stepwell, "py-nightly")) == 1


def _runs_of(stepwell: Stepwell, slug: str) -> list[Json]:
    """Ended runs of the function, by GraphQL: scheduled runs have no event to ask for."""
    data = stepwell.gql(
        "query ($ids: [UUID!]) { runs(orderBy: [{field: QUEUED_AT, direction: DESC}], filter: "
        '{from: "2020-01-01T00:00:00Z", functionIDs: $ids, status: [COMPLETED]}) '
        "{ edges { node { id status } } } }",
        {"ids": [stepwell.function_id(slug)]},
    )
    return [edge["node"] for edge in data["runs"]["edges"]]
