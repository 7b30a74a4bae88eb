"""What is stored does not depend on how records are split, repeated or ordered (records.py)."""

import json
from collections.abc import Sequence
from uuid import UUID

import pytest
from django.db import DataError, connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.engine.records import AnyRecord, RunEnded, RunStarted, StepRecorded
from apps.events.models import Event, EventPayload
from apps.runs.choices import RunStatus, StepStatus
from apps.runs.history.batch import Batch
from apps.runs.history.store import HistoryStore
from apps.runs.models import Run, StepAttempt
from tests.integration.history.conftest import empty
from tests.integration.history.life import (
    ACCOUNT,
    APP,
    ENV,
    EVENT,
    FUNCTION,
    LIFE,
    RUN,
    STREAM_ID,
    WAIT,
    event,
    scheduled,
    step,
    stored,
)


def write(alias: str, *batches: Sequence[AnyRecord]) -> None:
    store = HistoryStore(alias)
    for records in batches:
        batch = Batch("0")
        batch.add_records(records)
        store.write(batch)


def attempt(alias: str, step_id: str, number: int = 0) -> StepAttempt:
    return StepAttempt.objects.using(alias).get(run_id=RUN, step_id=step_id, attempt=number)


def run(alias: str) -> Run:
    return Run.objects.using(alias).get(run_id=RUN)


def test_the_life_of_a_run(database: str) -> None:
    write(database, LIFE)

    result = stored(database)
    assert result["runs"] == [
        {
            "run_id": RUN,
            "account_id": UUID(ACCOUNT),
            "environment_id": UUID(ENV),
            "app_id": UUID(APP),
            "function_id": UUID(FUNCTION),
            "function_version": 3,
            "status": RunStatus.COMPLETED,
            "queued_at": 1000,
            "scheduled_at": 1001,
            "started_at": 1010,
            "ended_at": 1300,
            "schedule_type": "Event",
            "event_name": "demo/hello",
            "cron": "",
            "original_run_id": "",
            "skip_reason": "",
            "skip_existing_run_id": "",
            "flow": "",
            "cancel_reason": "",
            "has_output": True,
        }
    ]
    assert result["run events"] == [(RUN, 0, EVENT)]
    assert result["outputs"] == [(RUN, '"done"')]
    assert [(s["step_id"], s["attempt"], s["status"]) for s in result["steps"]] == [
        ("a", 0, StepStatus.ERRORED),
        ("a", 1, StepStatus.COMPLETED),
        ("open", 0, StepStatus.CANCELLED),
        ("w", 0, StepStatus.COMPLETED),
    ]
    assert result["steps"][0] | {"status": 0} == {
        "run_id": RUN,
        "step_id": "a",
        "attempt": 0,
        "op": "StepRun",
        "status": 0,
        "name": "first",
        "queued_at": 1011,
        "started_at": 1012,
        "ended_at": 1013,
        "max_attempts": 3,
        "info": {},
    }
    assert result["steps"][2]["ended_at"] == 1300
    assert result["steps"][3]["info"] == {**WAIT, "found_event_id": "01X"}
    assert result["step payloads"] == [
        (RUN, "a", 0, None, '{"name":"Error","message":"no"}', None),
        (RUN, "a", 1, '{"n": 1.50}', None, "[1]"),
    ]
    skipped = f'[["{FUNCTION}","Singleton","busy"]]'
    outcome = (f"0:{STREAM_ID}", UUID(ENV), EVENT, 1002, f'["{RUN}"]', "[]", "[]", skipped, "[]")
    assert result["outcomes"] == [outcome]


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(
    order=st.permutations(range(len(LIFE))), repeated=st.lists(st.sampled_from(LIFE)), cut=st.integers(0, 20)
)
def test_order_repetition_and_batches_do_not_matter(
    database: str, order: list[int], repeated: list[AnyRecord], cut: int
) -> None:
    empty(database)
    write(database, LIFE)
    expected = stored(database)
    empty(database)

    records = [LIFE[index] for index in order] + repeated
    write(database, records[:cut], records[cut:])

    assert stored(database) == expected


def test_a_repeated_life_changes_nothing(database: str) -> None:
    write(database, LIFE)
    before = stored(database)
    write(database, LIFE, *([record] for record in LIFE))
    assert stored(database) == before


def test_a_terminal_status_is_never_overwritten(database: str) -> None:
    write(database, [scheduled(), RunEnded(RUN, "Cancelled", 50, reason="user")])
    write(database, [RunStarted(RUN, 40), RunEnded(RUN, "Completed", 60, output=b"1")])

    row = run(database)
    assert (row.status, row.started_at, row.ended_at, row.cancel_reason, row.has_output) == (
        RunStatus.CANCELLED,
        40,
        50,
        "user",
        False,
    )


def test_an_attempts_first_outcome_stays(database: str) -> None:
    write(database, [step("s", 0, "Completed", ended_at=5, output=b"1")])
    write(database, [step("s", 0, "Failed", ended_at=9, started_at=2, output=b"2", error=b"{}")])

    row = attempt(database, "s")
    assert (row.status, row.started_at, row.ended_at) == (StepStatus.COMPLETED, 2, 5)
    assert stored(database)["step payloads"] == [(RUN, "s", 0, "1", "{}", None)]


def test_an_outcome_replaces_what_the_runs_end_implied(database: str) -> None:
    write(database, [scheduled(), step("s", 0, "Running", started_at=3)], [RunEnded(RUN, "Failed", 9)])
    assert attempt(database, "s").status == StepStatus.CANCELLED

    write(database, [step("s", 0, "Completed", ended_at=8)])
    row = attempt(database, "s")
    assert (row.status, row.started_at, row.ended_at) == (StepStatus.COMPLETED, 3, 8)


def test_an_open_step_that_arrives_after_the_runs_end_is_closed(database: str) -> None:
    write(database, [scheduled(), RunEnded(RUN, "Failed", 9)], [step("s", 0, "Queued", queued_at=4)])

    row = attempt(database, "s")
    assert (row.status, row.queued_at, row.ended_at) == (StepStatus.CANCELLED, 4, 9)


def test_open_steps_of_a_running_run_stay_open(database: str) -> None:
    write(database, [scheduled(), RunStarted(RUN, 2), step("s", 0, "Sleeping", op="Sleep", queued_at=4)])
    assert attempt(database, "s").status == StepStatus.SLEEPING


def test_a_late_record_does_not_turn_an_open_step_back(database: str) -> None:
    write(database, [step("s", 0, "Running", started_at=5)], [step("s", 0, "Queued", queued_at=3)])
    row = attempt(database, "s")
    assert (row.status, row.queued_at, row.started_at) == (StepStatus.RUNNING, 3, 5)


@pytest.mark.parametrize("split", [True, False])
def test_an_open_step_that_is_reported_again_keeps_its_times(database: str, split: bool) -> None:
    """Version 1 and races report the sleeps and waits of other branches again (spec 01, 8.3)."""
    first, again = (
        step("s", 0, "Sleeping", queued_at=at, started_at=at, info=b'{"sleep_until":"%d"}' % at)
        for at in (1_000, 5_000)
    )
    write(database, *([[first], [again]] if split else [[first, again]]))
    stored_step = attempt(database, "s")
    assert (stored_step.queued_at, stored_step.started_at) == (1_000, 1_000)
    assert json.loads(stored_step.info) == {"sleep_until": "1000"}


def test_a_skipped_run_has_ended_when_it_was_queued(database: str) -> None:
    write(database, [scheduled(skip_reason="Singleton", skip_existing_run_id="01OTHER")])

    row = run(database)
    assert (row.status, row.started_at, row.ended_at) == (RunStatus.SKIPPED, None, 1000)
    assert (row.skip_reason, row.skip_existing_run_id) == ("Singleton", "01OTHER")


def test_a_run_whose_first_record_is_missing_belongs_to_no_environment(database: str) -> None:
    write(database, [RunStarted(RUN, 7)])
    assert run(database).environment_id == UUID(int=0)

    write(database, [scheduled()])
    row = run(database)
    assert (row.environment_id, row.status, row.started_at) == (UUID(ENV), RunStatus.RUNNING, 7)


def test_the_version_rises_with_each_record_of_a_run(database: str) -> None:
    store = HistoryStore(database)
    versions = []
    for record in (scheduled(), RunStarted(RUN, 2), step("s", 0, "Running")):
        batch = Batch("0")
        batch.add_records([record])
        versions.append(store.write(batch))
        assert run(database).version == versions[-1]
    assert versions == sorted(set(versions))


@pytest.mark.parametrize(
    ("sender", "origin"),
    [
        ("", ("", None)),
        ("api", ("api", None)),
        ("key", ("key", None)),
        (f"key:{ACCOUNT}", ("key", UUID(ACCOUNT))),
        (f"webhook:{ACCOUNT}", ("webhook", UUID(ACCOUNT))),
        ("key:none", ("key", None)),
        (f"somebody:{ACCOUNT}", ("", None)),
    ],
)
def test_events_say_who_sent_them(database: str, sender: str, origin: tuple[str, UUID | None]) -> None:
    batch = Batch("0")
    batch.add_event(STREAM_ID, event()._replace(sender=sender))
    HistoryStore(database).write(batch)
    assert Event.objects.using(database).values_list("origin", "origin_id").get() == origin


def test_events_are_stored_once_with_their_bodies_apart(database: str) -> None:
    for _ in range(2):
        batch = Batch("0")
        batch.add_event(STREAM_ID, event(source="invoke"))
        batch.add_event("1795439221223-1", event("inngest/function.finished", b'{"data":{}}', "01B"))
        HistoryStore(database).write(batch)

    rows = list(Event.objects.using(database).order_by("key").values_list())
    env, account = UUID(ENV), UUID(ACCOUNT)
    at = 1795439221223
    context, finished = '{"source":"invoke"}', "inngest/function.finished"
    assert rows == [
        (
            f"0:{at}-0",
            env,
            account,
            EVENT,
            "ext-1",
            "demo/hello",
            1795439221000,
            at,
            False,
            "invoke",
            "",
            None,
            context,
        ),
        (f"0:{at}-1", env, account, "01B", "01B", finished, at, at, True, "api", "", None, ""),
    ]
    assert EventPayload.objects.using(database).get(key=f"0:{at}-0").body == event().body.decode()


def test_the_same_event_again_is_a_row_of_its_own(database: str) -> None:
    batch = Batch("0")
    batch.add_event("1-0", event())
    batch.add_event("2-0", event())
    HistoryStore(database).write(batch)
    assert Event.objects.using(database).filter(internal_id=EVENT).count() == 2


def test_nul_characters_are_replaced(database: str) -> None:
    info = b'{"event_name":"a\\u0000b"}'
    first = step("s", 0, "Waiting", name="a\0b", info=info)
    write(database, [scheduled(event_name="n\0"), first], [step("s", 0, "Completed", info=b'{"index":1}')])

    row = attempt(database, "s")
    assert (row.name, row.info_fields()) == ("a\ufffdb", {"event_name": "a\ufffdb", "index": 1})
    assert run(database).event_name == "n\ufffd"


def test_nothing_of_a_batch_is_stored_when_the_database_refuses_a_part(postgres_database: str) -> None:
    with pytest.raises(DataError):
        write(postgres_database, [scheduled(), StepRecorded("x" * 27, "s", 0, "StepRun", "Running")])
    assert Run.objects.using(postgres_database).count() == 0


def test_statistics_keep_sqlite_from_walking_an_environment(database: str) -> None:
    connection = connections[database]
    write(database, LIFE, [scheduled(run_id=f"{number:026d}") for number in range(500)])
    HistoryStore(database).refresh_statistics()
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            query = "SELECT run_id FROM runs_run WHERE environment_id = %s AND run_id IN (%s, %s)"
            cursor.execute(f"EXPLAIN QUERY PLAN {query}", [ENV, RUN, "x"])
            plan = [row[3] for row in cursor.fetchall()]
        assert plan == ["SEARCH runs_run USING INDEX sqlite_autoindex_runs_run_1 (run_id=?)"]


def test_the_start_that_a_crash_lost_is_told_by_the_end(database: str) -> None:
    write(database, [scheduled(), RunEnded(RUN, "Completed", 9, started_at=4)])
    assert (run(database).started_at, run(database).ended_at) == (4, 9)
