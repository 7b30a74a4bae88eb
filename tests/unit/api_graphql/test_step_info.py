"""Details of steps by kind (spec 03, 6.7)."""

import json

import pytest

from apps.runs.choices import StepStatus
from apps.runs.step_info import (
    InvokeInfo,
    RunInfo,
    SleepInfo,
    StepInfo,
    WaitForEventInfo,
    WaitForSignalInfo,
    status_code,
    step_info,
)

AT = 1_795_442_821_410  # 2026-11-23T14:07:01.41Z
WAIT = {
    "event_name": "demo/resume",
    "expression": '"w1" == async.data.id',
    "timeout": "2026-11-23T14:07:01.41Z",
}
INVOKE = {"function_id": "myapp-hello", "triggering_event_id": "E", "timeout": "2026-11-23T14:07:01.41Z"}


@pytest.mark.parametrize(
    ("op", "info", "status", "expected"),
    [
        ("StepRun", {}, StepStatus.COMPLETED, RunInfo(None)),
        ("StepRun", {"type": "ai.wrap"}, StepStatus.COMPLETED, RunInfo("ai.wrap")),
        ("AIGateway", {}, StepStatus.RUNNING, RunInfo(None)),
        ("Sleep", {"sleep_until": "2026-11-23T14:07:01.41Z"}, StepStatus.SLEEPING, SleepInfo(AT)),
        ("Sleep", {}, StepStatus.SLEEPING, None),
        (
            "WaitForEvent",
            WAIT,
            StepStatus.WAITING,
            WaitForEventInfo("demo/resume", '"w1" == async.data.id', AT, None, None),
        ),
        (
            "WaitForEvent",
            {"event_name": "demo/resume", "timeout": "2026-11-23T14:07:01.41Z", "found_event_id": "F"},
            StepStatus.COMPLETED,
            WaitForEventInfo("demo/resume", None, AT, "F", False),
        ),
        (
            "WaitForEvent",
            WAIT,
            StepStatus.TIMED_OUT,
            WaitForEventInfo("demo/resume", '"w1" == async.data.id', AT, None, True),
        ),
        (
            "WaitForEvent",
            WAIT,
            StepStatus.CANCELLED,
            WaitForEventInfo("demo/resume", '"w1" == async.data.id', AT, None, None),
        ),
        (
            "WaitForSignal",
            {"signal": "go", "timeout": "2026-11-23T14:07:01.41Z"},
            StepStatus.TIMED_OUT,
            WaitForSignalInfo("go", AT, True),
        ),
        ("WaitForSignal", {"signal": "go"}, StepStatus.WAITING, None),
        (
            "InvokeFunction",
            INVOKE,
            StepStatus.INVOKING,
            InvokeInfo("E", "myapp-hello", AT, None, None, None),
        ),
        (
            "InvokeFunction",
            {**INVOKE, "found_event_id": "F", "invoked_run_id": "R"},
            StepStatus.FAILED,
            InvokeInfo("E", "myapp-hello", AT, "F", "R", False),
        ),
        ("InvokeFunction", {"timeout": "2026-11-23T14:07:01.41Z"}, StepStatus.INVOKING, None),
        ("Function", {}, StepStatus.COMPLETED, None),
    ],
)
def test_details_by_kind(
    op: str, info: dict[str, object], status: StepStatus, expected: StepInfo | None
) -> None:
    assert step_info(op, json.dumps(info), status) == expected


def test_a_record_without_details_is_read_as_empty() -> None:
    assert step_info("StepRun", "", StepStatus.COMPLETED) == RunInfo(None)
    assert status_code("") is None


def test_status_code_of_the_answer() -> None:
    assert status_code('{"status_code":206}') == 206
