"""What an answer does with steps: results, errors, sleeps, waits, invokes (spec 01, 8 and 11)."""

from collections.abc import Iterator

import msgspec
import pytest

from apps.engine.event_stream import EventEntry
from apps.engine.executor import ops
from apps.engine.executor.commit_builder import CommitBuilder
from apps.engine.protocol import errors
from apps.engine.records import RunEnded, StepRecorded, decode_records
from apps.engine.store.client import Argument
from tests.unit.engine.builders import (
    NOW,
    RUN,
    STARTED_AT,
    A,
    WireOp,
    applied,
    make_builder,
    make_item,
    make_state,
    op,
    operations,
    sent_events,
    step,
)

YEAR_MS = 365 * 86_400_000
RETRY: list[Argument] = ["R", NOW + 30_000, 1, b""]


@pytest.fixture(autouse=True)
def _fixed_retry_delay() -> Iterator[None]:
    ops.set_retry_interval(30)
    yield
    ops.set_retry_interval(0)


@pytest.mark.parametrize(
    ("wire", "memo", "info"),
    [
        (op("StepRun", data={"x": 1}), b'{"data":{"x":1}}', b'{"status_code":206}'),
        (op("StepRun"), b'{"data":null}', b'{"status_code":206}'),
        (op("Step", data={"event_ids": []}), b'{"event_ids":[]}', b'{"raw":1,"status_code":206}'),
    ],
)
def test_a_result_is_saved(wire: WireOp, memo: bytes, info: bytes) -> None:
    builder = applied(wire)
    assert operations(builder) == ["S", A, memo, "0"]
    assert builder.saved == [(A, memo)]
    assert builder.only_saves
    output = msgspec.json.encode(wire.get("data"))
    assert builder.records == [step(output=output, started_at=NOW - 10, ended_at=NOW, info=info)]
    assert builder.build(2, may_continue=True).may_continue


def test_what_the_op_says_of_itself_is_recorded() -> None:
    builder = applied(
        op("StepRun", displayName="Shown", name="plain", data=1, userland={"id": "u", "index": 2},
           timing={"a": (NOW - 5) * 1_000_000, "b": 3_000_000},
           opts={"type": "step.sendEvent", "input": [{"q": 1}], "parallelMode": "race"}),
        builder=make_builder(make_item("step", A, attempt=1)),
    )  # fmt: skip
    assert operations(builder) == ["S", A, b'{"data":1}', "1"]
    (record,) = builder.records
    assert record == step(
        attempt=1, name="Shown", output=b"1", started_at=NOW - 5, ended_at=NOW - 2, input=b'[{"q":1}]',
        info=b'{"type":"step.sendEvent","user_id":"u","index":2,"race":1,"status_code":206}',
    )  # fmt: skip


def test_a_step_error_is_tried_again() -> None:
    builder = applied(op("StepError"))
    assert operations(builder) == RETRY
    error, info = b'{"message":"m","name":"E"}', b'{"status_code":206,"retry_at":"2026-11-23T12:47:10Z"}'
    expected = step(status="Errored", error=error, started_at=NOW - 10, ended_at=NOW, info=info)
    assert builder.records == [expected]
    assert not builder.build(2, may_continue=True).may_continue


def test_retry_after_replaces_the_delay() -> None:
    assert operations(applied(op("StepError"), retry_at_ms=NOW + 7_000)) == ["R", NOW + 7_000, 1, b""]


@pytest.mark.parametrize(("attempt", "no_retry"), [(2, False), (0, True), (5, False)])
def test_the_last_step_error_is_the_steps_result(attempt: int, no_retry: bool) -> None:
    builder = applied(op("StepError"), builder=make_builder(make_item(attempt=attempt)), no_retry=no_retry)
    assert operations(builder) == ["S", A, b'{"error":{"message":"m","name":"E"}}', "0"]
    (record,) = builder.records
    assert isinstance(record, StepRecorded)
    assert (record.status, record.attempt) == ("Failed", attempt)


def test_a_failed_step_keeps_its_cleaned_error() -> None:
    error = {"message": "m", "stack": "s", "code": "x", "__serialized": True, "data": {"a": 1}}
    builder = applied(op("StepFailed", error=error, data={"ignored": 1}))
    assert operations(builder) == [
        "S", A, b'{"error":{"data":{"a":1},"message":"m","name":"Error","stack":"s"}}', "0",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wire", "due"),
    [
        (op("Sleep", name="1s"), NOW + 1_000),
        (op("Sleep", name="ignored", opts={"duration": "1h30m"}), NOW + 5_400_000),
        (op("Sleep", name="2026-11-23T13:00:00.250Z"), 1_795_438_800_250),
        (op("Sleep", name="2001-01-01T00:00:00Z"), NOW),
    ],
)
def test_a_sleep(wire: WireOp, due: int) -> None:
    builder = applied(wire)
    *sleep, awake = operations(builder)
    assert sleep == ["Z", A, due, "0"]
    assert isinstance(awake, bytes)
    assert decode_records(awake) == [StepRecorded(RUN, A, 0, "Sleep", "Completed", ended_at=due)]
    (record,) = builder.records
    assert isinstance(record, StepRecorded)
    assert (record.op, record.status, record.started_at) == ("Sleep", "Sleeping", NOW)


def test_a_wait_is_filed_under_the_value_that_it_asks_for() -> None:
    wire = op("WaitForEvent", name="app/x", opts={"timeout": "4s", "if": "event.data.id == async.data.id"})
    found = operations(applied(wire))
    assert found[:5] == ["W", A, f"{RUN}.{A}", "app/x", "event.data.id == async.data.id"]
    assert isinstance(found[5], str)
    assert len(found[5]) == 32
    assert found[6:] == ['["data","id"]', "1", NOW + 4_000, "0"]


@pytest.mark.parametrize(
    ("opts", "expected"),
    [
        ({"event": "app/y", "timeout": "1m"}, ["app/y", "", "*", "*", "1", NOW + 60_000, "0"]),
        ({}, ["app/x", "", "*", "*", "1", NOW, "0"]),
        (
            {"if": "async.data.n > 3", "parallelMode": "race"},
            ["app/x", "async.data.n > 3", "*", "*", "0", NOW, "1"],
        ),
    ],
)
def test_a_wait_that_is_filed_nowhere(opts: dict[str, str], expected: list[Argument]) -> None:
    builder = applied(op("WaitForEvent", name="app/x", opts=opts))
    assert operations(builder)[3:] == expected


def test_a_signal_carries_what_happens_if_it_is_taken() -> None:
    wire = op("WaitForSignal", name="sig", opts={"timeout": "5s", "conflict": "replace"})
    found = operations(applied(wire))
    assert found[:7] == ["G", A, f"{RUN}.{A}", "sig", "1", NOW + 5_000, "0"]
    replaced, failure = found[7], found[8]
    assert isinstance(replaced, bytes)
    assert isinstance(failure, bytes)
    assert decode_records(replaced) == [
        StepRecorded(RUN, A, 0, "WaitForSignal", "TimedOut", ended_at=NOW, info=b'{"replaced":true}')
    ]
    error = errors.signal_conflict()
    assert decode_records(failure) == [
        RunEnded(RUN, "Failed", NOW, b'{"error":%b}' % error, started_at=STARTED_AT)
    ]
    names = [entry.name for entry in sent_events(found[9:])]
    assert names == ["inngest/function.finished", "inngest/function.failed"]


def test_a_signal_lasts_a_year_and_fails_on_conflict_by_default() -> None:
    found = operations(applied(op("WaitForSignal", name="n", opts={"signal": "sig"})))
    assert found[3:6] == ["sig", "0", NOW + YEAR_MS]


def invoked(payload: object, builder: CommitBuilder | None = None, **opts: object) -> EventEntry:
    wire = op(
        "InvokeFunction", displayName="inv", opts={"function_id": "app-callee", "payload": payload, **opts}
    )
    found = operations(applied(wire, builder=builder))
    assert found[:3] == ["I", A, f"{RUN}.{A}"]
    assert found[4] == "0"
    (entry,) = sent_events([1, *found[5:]])
    return entry


def test_an_invoke_sends_its_event() -> None:
    payload = {"data": {"a": 1}, "user": {"u": 1}, "v": "1", "meta": {"m": 1}, "ts": 99, "id": "mine"}
    entry = invoked(payload, timeout="1s")
    assert (entry.env_id, entry.account_id, entry.name) == ("env", "acc", "inngest/function.invoked")
    assert (entry.context.function_id, entry.context.correlation_id, entry.context.source) == (
        "app-callee", f"{RUN}.{A}", "invoke",
    )  # fmt: skip
    assert msgspec.json.decode(entry.body) == {
        "data": {
            "a": 1,
            "_inngest": {
                "fn_id": "app-callee", "correlation_id": f"{RUN}.{A}", "expire": NOW + 1_000, "name": "inv",
                "source_app_id": "app-id", "source_fn_id": "fn-id", "source_fn_v": 3, "depth": 1,
            },
        },
        "id": "mine", "meta": {"m": 1}, "name": "inngest/function.invoked", "ts": 99, "user": {"u": 1},
        "v": "1",
    }  # fmt: skip


@pytest.mark.parametrize(
    "payload",
    [None, {}, {"data": None, "user": None, "v": None, "meta": None, "ts": None, "id": None},
     {"id": 5, "ts": "soon"}, {"id": "", "ts": 1.5}, {"id": {"a": 1}, "ts": -3}],
)  # fmt: skip
def test_what_an_invoke_leaves_out_is_filled_in(payload: object) -> None:
    entry = invoked(payload)
    body = msgspec.json.decode(entry.body)
    assert (body["id"], body["ts"], body["user"]) == (entry.internal_id, NOW, {})
    assert body.keys() == {"data", "id", "name", "ts", "user"}
    assert body["data"].keys() == {"_inngest"}
    assert body["data"]["_inngest"]["expire"] == NOW + YEAR_MS


def test_an_invoke_without_a_function_is_left_to_the_runner() -> None:
    found = operations(applied(op("InvokeFunction", opts={})))
    (entry,) = sent_events([1, *found[5:]])
    assert (entry.context.function_id, entry.context.source) == ("", "invoke")


@pytest.mark.parametrize("data", [None, {"_inngest": 5}, {"_inngest": {"depth": "x"}}, [1]])
def test_an_odd_event_of_an_invoke_counts_as_the_first(data: object) -> None:
    event = {"name": "inngest/function.invoked", "data": data}
    entry = invoked({}, builder=make_builder(state=make_state(event=event)))
    assert msgspec.json.decode(entry.body)["data"]["_inngest"]["depth"] == 1


@pytest.mark.parametrize(("depth", "fails"), [(99, False), (100, True)])
def test_invokes_are_not_nested_for_ever(depth: int, fails: bool) -> None:
    event = {"name": "inngest/function.invoked", "data": {"_inngest": {"depth": depth}}}
    builder = make_builder(state=make_state(event=event))
    applied(op("InvokeFunction", opts={"function_id": "x"}), builder=builder)
    assert builder.is_finished is fails


def test_a_gateway_becomes_an_item_of_its_own() -> None:
    wire = op("Gateway", displayName="fetch", opts={"url": "https://example.com/x", "method": "get"})
    builder = applied(wire)
    code, step_id, payload, race = operations(builder)
    assert (code, step_id, race) == ("O", A, "0")
    assert isinstance(payload, bytes)
    decoded = msgspec.json.decode(payload, type=ops.ServerStep)
    assert (decoded.op, decoded.id, decoded.name, decoded.ai) == ("Gateway", A, "fetch", None)
    assert decoded.gateway is not None
    assert (decoded.gateway.url, decoded.gateway.method) == ("https://example.com/x", "GET")
    (record,) = builder.records
    assert record == step("Gateway", "Queued", name="fetch", queued_at=NOW)


def test_the_key_of_a_model_is_in_no_record() -> None:
    opts = {"url": "https://example.com", "auth_key": "sk-secret", "body": {"m": 1}, "format": "anthropic"}
    builder = applied(op("AIGateway", opts=opts))
    assert b"sk-secret" in bytes(operations(builder)[2])  # type: ignore[arg-type]
    assert b"sk-secret" not in builder.build(2, may_continue=True).history
