"""The records of one run's life, as the engine writes them, and what they come to."""

import json
from typing import Any

from apps.engine.event_stream import EventContext, EventEntry
from apps.engine.records import AnyRecord, EventHandled, RunEnded, RunScheduled, RunStarted, StepRecorded
from apps.events.models import EventOutcome
from apps.runs.models import Run, RunEvent, RunPayload, StepAttempt, StepPayload

ACCOUNT = "00000000-0000-4000-a000-000000000000"
ENV = "00000000-0000-4000-b000-000000000000"
APP = "40768630-6bea-56a2-af77-60abc06ba30f"
FUNCTION = "90c1bf36-93fe-5e87-b761-a83064f428b1"
RUN = "01M8488PZN38TBQW5R170FD360"
EVENT = "01M8488PSWMZBJ8765PVQPGN3Y"
STREAM_ID = "1795439221223-0"


def scheduled(run_id: str = RUN, **changes: Any) -> RunScheduled:
    fields: dict[str, Any] = {
        "run_id": run_id,
        "account_id": ACCOUNT,
        "env_id": ENV,
        "app_id": APP,
        "function_id": FUNCTION,
        "function_version": 3,
        "queued_at": 1000,
        "scheduled_at": 1001,
        "event_ids": [EVENT],
        "event_name": "demo/hello",
    }
    return RunScheduled(**{**fields, **changes})


def step(step_id: str, attempt: int, status: str, **fields: Any) -> StepRecorded:
    return StepRecorded(RUN, step_id, attempt, fields.pop("op", "StepRun"), status, **fields)


WAIT = {"type": "waitForEvent", "event_name": "demo/ok", "timeout": "1h"}

LIFE: list[AnyRecord] = [
    scheduled(),
    EventHandled(ENV, EVENT, STREAM_ID, 1002, run_ids=[RUN], skipped=[(FUNCTION, "Singleton", "busy")]),
    RunStarted(RUN, 1010),
    step("a", 0, "Queued", name="first", queued_at=1011, max_attempts=3),
    step("a", 0, "Running", started_at=1012),
    step("a", 0, "Errored", ended_at=1013, error=b'{"name":"Error","message":"no"}'),
    step("a", 1, "Running", name="first", queued_at=1013, started_at=1100, max_attempts=3),
    step("a", 1, "Completed", ended_at=1101, output=b'{"n": 1.50}', input=b"[1]"),
    step("w", 0, "Waiting", op="WaitForEvent", name="w", started_at=1102, info=json.dumps(WAIT).encode()),
    step("w", 0, "Completed", op="WaitForEvent", ended_at=1200, info=b'{"found_event_id":"01X"}'),
    step("open", 0, "Queued", name="never ran", queued_at=1150),
    RunEnded(RUN, "Completed", 1300, output=b'"done"'),
]


def event(
    name: str = "demo/hello", body: bytes = b"", internal_id: str = EVENT, **context: Any
) -> EventEntry:
    body = body or b'{"data":{"a":1},"id":"ext-1","name":"demo/hello","ts":1795439221000}'
    return EventEntry(internal_id, ENV, ACCOUNT, name, body, EventContext(**context))


def stored(alias: str) -> dict[str, Any]:
    """Everything that the records of runs led to, without the runs' versions."""
    runs = Run.objects.using(alias).order_by("run_id").values()
    return {
        "runs": [{name: value for name, value in run.items() if name != "version"} for run in runs],
        "run events": list(RunEvent.objects.using(alias).order_by("pk").values_list()),
        "outputs": list(RunPayload.objects.using(alias).order_by("pk").values_list()),
        "steps": [
            {**attempt, "info": json.loads(attempt["info"] or "{}")}
            for attempt in StepAttempt.objects.using(alias).order_by("pk").values()
        ],
        "step payloads": list(StepPayload.objects.using(alias).order_by("pk").values_list()),
        "outcomes": list(EventOutcome.objects.using(alias).order_by("pk").values_list()),
    }
