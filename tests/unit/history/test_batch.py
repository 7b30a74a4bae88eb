"""Merging before anything is written; what cannot be stored is refused as a whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.engine.event_stream import EventContext, EventEntry
from apps.engine.records import RunEnded, RunScheduled, RunStarted, StepRecorded
from apps.runs.choices import RunStatus, StepStatus
from apps.runs.history.batch import BadRecord, Batch
from apps.runs.history.rows import merge_info

UUID = "00000000-0000-4000-a000-000000000000"


def scheduled(env_id: str = UUID) -> RunScheduled:
    return RunScheduled("R", UUID, env_id, UUID, UUID, 1, 10, 10, ["E"], "demo/x")


def entry(body: bytes, name: str = "demo/x") -> EventEntry:
    return EventEntry("01INTERNAL", UUID, UUID, name, body, EventContext())


def added(body: bytes) -> tuple[str, int]:
    batch = Batch("0")
    batch.add_event("77-1", entry(body))
    (row,) = batch.events.values()
    return row.external_id, row.ts


def test_records_of_one_run_become_one_row() -> None:
    batch = Batch("0")
    batch.add_records([scheduled(), RunStarted("R", 20)])
    batch.add_records([RunEnded("R", "Completed", 30, b"1"), RunEnded("R", "Failed", 40, b"2")])
    (run,) = batch.runs.values()
    assert (run.status, run.started_at, run.ended_at, run.has_output) == (RunStatus.COMPLETED, 20, 30, True)
    assert batch.outputs == {"R": "1"}


def test_records_of_one_attempt_become_one_row() -> None:
    batch = Batch("0")
    batch.add_records([StepRecorded("R", "s", 0, "StepRun", "Running", started_at=5, queued_at=3)])
    batch.add_records([StepRecorded("R", "s", 0, "StepRun", "Completed", started_at=6, ended_at=9)])
    batch.add_records([StepRecorded("R", "s", 0, "StepRun", "Running", started_at=99, name="late")])
    (row,) = batch.steps.values()
    assert (row.status, row.queued_at, row.started_at, row.ended_at, row.name) == (
        StepStatus.COMPLETED,
        3,
        6,
        9,
        "late",
    )


@pytest.mark.parametrize(
    "bad",
    [
        RunEnded("R", "Running", 1),
        RunEnded("R", "Bogus", 1),
        StepRecorded("R", "s", 0, "StepRun", "completed"),
        StepRecorded("R", "s", 0, "StepRun", "Running", info=b"[]"),
        StepRecorded("R", "s", 0, "StepRun", "Running", info=b"{"),
        StepRecorded("R", "s", 0, "StepRun", "Running", info=b'{"a":"\xff"}'),
        scheduled(env_id="nope"),
    ],
)
def test_a_bad_record_refuses_its_whole_entry(bad: RunEnded | StepRecorded | RunScheduled) -> None:
    batch = Batch("0")
    with pytest.raises(BadRecord):
        batch.add_records([RunStarted("R", 1), bad])
    assert batch.runs == {}


def test_an_events_own_id_and_time() -> None:
    assert added(b'{"id":"x","ts":5}') == ("x", 5)
    assert added(b"{}") == ("01INTERNAL", 77)


@pytest.mark.parametrize(
    "body", [b'{"id":5}', b'{"ts":"now"}', b'{"ts":1e400}', b'{"ts":99999999999999999999}', b'{"id":null}']
)
def test_an_odd_id_or_time_counts_as_absent(body: bytes) -> None:
    assert added(body) == ("01INTERNAL", 77)


@given(st.one_of(st.binary(), st.sampled_from([b"{" * 100_000, b'{"a":' * 100_000, b'{"data":"\xff"}'])))
def test_any_body_is_stored_or_refused(body: bytes) -> None:
    batch = Batch("0")
    try:
        batch.add_event("77-1", entry(body))
    except BadRecord:
        assert batch.events == {}
    else:
        batch.event_bodies["0:77-1"].encode()


def test_details_of_a_step_merge_by_key() -> None:
    assert merge_info('{"a":1,"b":{"x":1.50}}', '{"a":2}') == '{"a":2,"b":{"x":1.50}}'
    assert merge_info("", '{"a":2}') == merge_info('{"a":2}', "") == '{"a":2}'
