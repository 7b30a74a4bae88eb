"""Counters of a process, and how history records are counted."""

import pytest

from apps.engine import telemetry
from apps.engine.records import AnyRecord, EventHandled, RunEnded, RunScheduled, RunStarted, StepRecorded
from apps.engine.telemetry import CALL_SECONDS, Counters, tally_records


def test_what_is_taken_is_counted_once() -> None:
    counters = Counters()
    counters.add("calls:answered")
    counters.add("calls:answered", 2)
    assert counters.take() == {"calls:answered": 3}
    assert counters.take() == {}
    counters.add_all({"calls:answered": 3, "call_seconds:sum": 0.5})
    assert counters.take() == {"calls:answered": 3, "call_seconds:sum": 0.5}


def scheduled(skip_reason: str = "") -> RunScheduled:
    return RunScheduled("r", "a", "e", "p", "f", 1, 1, 1, ["v"], "x", skip_reason=skip_reason)


def test_records_of_runs_and_steps() -> None:
    records: list[AnyRecord] = [
        scheduled(),
        scheduled(),
        scheduled(skip_reason="RateLimit"),
        RunStarted("r", 1),
        RunEnded("r", "Completed", 2),
        RunEnded("s", "Cancelled", 2),
        StepRecorded("r", "s", 0, "StepRun", "Running"),
        StepRecorded("r", "s", 0, "StepRun", "Errored"),
        StepRecorded("r", "s", 1, "StepRun", "Completed"),
        EventHandled("e", "v", "1-1", 3),
    ]
    assert tally_records(records) == {
        "runs:scheduled": 2,
        "runs:skipped": 1,
        "runs:started": 1,
        "runs:completed": 1,
        "runs:cancelled": 1,
        "steps:errored": 1,
        "steps:completed": 1,
    }


@pytest.mark.parametrize(
    ("seconds", "bucket"), [(0.0, 0), (0.005, 0), (0.006, 1), (300.0, len(CALL_SECONDS) - 1), (7200, 14)]
)
def test_calls_fall_into_buckets(monkeypatch: pytest.MonkeyPatch, seconds: float, bucket: int) -> None:
    counters = Counters()
    monkeypatch.setattr(telemetry, "process_counters", counters)
    telemetry.count_call("timeout", seconds)
    assert counters.take() == {
        "calls:timeout": 1,
        f"call_seconds:{bucket}": 1,
        "call_seconds:sum": seconds,
    }
