"""History records: what the engine tells the history writer, through the history stream.

One stream entry carries a list of records, encoded with `encode_records`. Payloads (`output`,
`error`, `input`) are raw JSON bytes that nobody on the way parses. Times are milliseconds since the
epoch, 0 where unknown. Applying a record twice, or late, must not change the outcome: the writer
upserts by the keys named in each docstring, and a terminal status is never overwritten.
"""

from collections.abc import Sequence

import msgspec


class Record(msgspec.Struct, frozen=True, tag_field="t", omit_defaults=True, gc=False):
    pass


class RunScheduled(Record, tag="rs", frozen=True):
    """A run exists (key: run_id), status Scheduled, or Skipped when `skip_reason` is set.

    `event_ids` are internal event ids (ULIDs) in order. `schedule_type` is one of Event, Cron,
    Debounce, Batch, Invoke, Rerun, Replay. `flow` tells people of the run's flow control, as JSON:
    {"keys": [[setting, expression, value], ...], "priority_seconds", "problems": [text, ...]}, each optional.
    """

    run_id: str
    account_id: str
    env_id: str
    app_id: str
    function_id: str
    function_version: int
    queued_at: int
    scheduled_at: int
    event_ids: list[str]
    event_name: str
    schedule_type: str = "Event"
    cron: str = ""
    original_run_id: str = ""
    skip_reason: str = ""
    skip_existing_run_id: str = ""
    flow: bytes = b""


class RunStarted(Record, tag="rb", frozen=True):
    """The first request of a run began (key: run_id)."""

    run_id: str
    started_at: int


class RunEnded(Record, tag="re", frozen=True):
    """A run ended (key: run_id). `status` is Completed, Failed or Cancelled.

    `output` is the result, or on failure the error object; empty where there is none. `reason`
    says why a run was cancelled. `started_at` repeats RunStarted, which a crash may have lost.
    Steps that are still open are closed by the writer as Cancelled.
    """

    run_id: str
    status: str
    ended_at: int
    output: bytes = b""
    reason: str = ""
    started_at: int = 0


class StepRecorded(Record, tag="st", frozen=True):
    """The state of one attempt of one step (key: run_id, step_id, attempt); later records win.

    An empty `step_id` is the function's own code (the outcome outside of steps). `op` is one of
    StepRun, Sleep, WaitForEvent, WaitForSignal, InvokeFunction, Gateway, AIGateway, Function.
    `status` is Queued, Running, Waiting, Sleeping, Invoking, Completed, TimedOut, Errored, Failed
    or Cancelled. `info` holds the op's details for display, as JSON: {"type", "sleep_until",
    "event_name", "expression", "timeout", "found_event_id", "signal", "function_id",
    "triggering_event_id", "invoked_run_id", "status_code", "user_id", "index", "retry_at" (of a
    failed attempt: when the next is due), "race": 1 (the step races with others of its group),
    "raw": 1 (its memo is the output itself, without a wrapper)}, each optional.
    A field left empty keeps what an earlier record of the same key said.
    """

    run_id: str
    step_id: str
    attempt: int
    op: str
    status: str
    name: str = ""
    queued_at: int = 0
    started_at: int = 0
    ended_at: int = 0
    output: bytes = b""
    error: bytes = b""
    input: bytes = b""
    info: bytes = b""
    max_attempts: int = 0


class EventHandled(Record, tag="eh", frozen=True):
    """What the runner decided about one event (key: event_id and stream_id).

    `run_ids` were started or already existed for it, `resumed` are the runs whose waits it matched,
    `cancelled` the runs that it cancelled; `skipped` holds [function id, reason, detail] triples,
    `failed` the [function id, text] of expressions that could not be evaluated. All empty: the event
    matched nothing.
    """

    env_id: str
    event_id: str
    stream_id: str
    handled_at: int
    run_ids: list[str] = msgspec.field(default_factory=list)
    resumed: list[str] = msgspec.field(default_factory=list)
    cancelled: list[str] = msgspec.field(default_factory=list)
    skipped: list[tuple[str, str, str]] = msgspec.field(default_factory=list)
    failed: list[tuple[str, str]] = msgspec.field(default_factory=list)


AnyRecord = RunScheduled | RunStarted | RunEnded | StepRecorded | EventHandled

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[AnyRecord])


def encode_records(records: Sequence[AnyRecord]) -> bytes:
    return _encoder.encode(records)


def decode_records(raw: bytes) -> list[AnyRecord]:
    return _decoder.decode(raw)
