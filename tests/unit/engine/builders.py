"""Short ways to say what a worker holds and what an app answers."""

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from apps.engine.event_stream import EventEntry, parse_entry
from apps.engine.executor.answer import apply_answer
from apps.engine.executor.commit_builder import CommitBuilder, Dispatch
from apps.engine.functions import FunctionSpec
from apps.engine.protocol.opcodes import parse_ops
from apps.engine.protocol.responses import Ops
from apps.engine.records import StepRecorded
from apps.engine.store.client import Argument
from apps.engine.store.views import Item, RunMeta, RunState

NOW = 1_795_438_000_000
STARTED_AT = NOW - 40
RUN = "01M847ADSH6M07ZNE1VSGZJT5Q"
A, B, C = "a" * 40, "b" * 40, "c" * 40
WireOp: TypeAlias = dict[str, object]
SPEC = FunctionSpec(
    "fn-id", "app-fn", "Fn", "app-id", "app", "env", "acc", 3, "http://127.0.0.1:1/?stepId=step", retries=2
)
EVENT = {"data": {"id": 7}, "id": "e-1", "name": "app/go", "ts": 5, "user": {}}


def make_item(kind: str = "start", step_id: str = "", attempt: int = 0) -> Item:
    return Item("15", "token", kind, RUN, "fn-id", "env", step_id, attempt, 1, 0, NOW - 50, NOW - 40, b"")


def make_state(
    *,
    memos: dict[str, bytes] | None = None,
    version: int = 2,
    event: Mapping[str, object] | None = None,
    defers: dict[str, bytes] | None = None,
    size: int = 100,
    empty_answers: int = 0,
    function_errors: int = 0,
    correlation_id: str = "",
) -> RunState:
    first = event or EVENT
    known = memos or {}
    correlations = [correlation_id] if correlation_id else []
    return RunState(
        events_json=msgspec.json.encode([first]),
        meta=RunMeta("app-fn", [str(first["name"])], ["01INTERNAL"], correlations),
        version=version,
        plan_only=False,
        state_version=len(known),
        queued_at=NOW - 100,
        started_at=STARTED_AT,
        app_id="app-id",
        size=size,
        stack=list(known),
        memos=known,
        defers=defers or {},
        empty_answers=empty_answers,
        function_errors=function_errors,
    )


def make_builder(
    item: Item | None = None, state: RunState | None = None, status_code: int = 206
) -> CommitBuilder:
    return CommitBuilder(
        item or make_item(), state or make_state(), SPEC, Dispatch(NOW - 10, NOW, status_code)
    )


def op(code: str, op_id: str = A, /, **members: object) -> WireOp:
    """An op as on the wire."""
    error = {"error": {"name": "E", "message": "m"}} if code in ("StepError", "StepFailed") else {}
    return {"op": code, "id": op_id, **error, **members}


def answer(*ops: WireOp, no_retry: bool = False, retry_at_ms: int | None = None) -> Ops:
    return Ops(parse_ops(msgspec.json.encode(ops)), 2, no_retry, retry_at_ms)


def opcodes(builder: CommitBuilder) -> list[object]:
    """The letters of the operations, in order."""
    operations = builder.build(2, may_continue=True).operations
    return [part for part in operations if isinstance(part, str) and len(part) == 1 and part.isupper()]


def applied(
    *wire: WireOp,
    builder: CommitBuilder | None = None,
    no_retry: bool = False,
    retry_at_ms: int | None = None,
) -> CommitBuilder:
    builder = builder or make_builder()
    apply_answer(builder, answer(*wire, no_retry=no_retry, retry_at_ms=retry_at_ms))
    return builder


def operations(builder: CommitBuilder) -> list[Argument]:
    return builder.build(2, may_continue=True).operations


def step(record_op: str = "StepRun", status: str = "Completed", **members: object) -> StepRecorded:
    base = StepRecorded(
        RUN, A, 0, record_op, status, queued_at=NOW - 50, max_attempts=3, info=b'{"status_code":206}'
    )
    return msgspec.structs.replace(base, **members)


def own_code(status: str, **members: object) -> StepRecorded:
    base = StepRecorded(
        RUN, "", 0, "Function", status, queued_at=NOW - 50, started_at=NOW - 10, ended_at=NOW,
        max_attempts=3, info=b'{"status_code":206}',
    )  # fmt: skip
    return msgspec.structs.replace(base, **members)


def sent_events(arguments: list[Argument]) -> list[EventEntry]:
    """The entries in `n x (n-fields, fields...)`."""
    count, rest = arguments[0], arguments[1:]
    entries = []
    for _ in range(int(count)):
        size = int(rest[0])
        flat = [part.encode() if isinstance(part, str) else part for part in rest[1 : size + 1]]
        entries.append(parse_entry({flat[i]: flat[i + 1] for i in range(0, size, 2)}))  # type: ignore[misc]
        rest = rest[size + 1 :]
    assert rest == []
    return entries


def ending(builder: CommitBuilder) -> list[EventEntry]:
    """The events of a commit whose last operation is F."""
    found = operations(builder)
    start = len(found) - 1 - found[::-1].index("F")
    return sent_events(found[start + 1 :])


def data_of(entry: EventEntry) -> dict[str, object]:
    data: dict[str, object] = msgspec.json.decode(entry.body)["data"]
    return data
