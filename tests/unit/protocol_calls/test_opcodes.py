"""Opcodes of 206 responses (spec 01, 7.7 and chapter 8)."""

import contextlib
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.engine.protocol import opcodes
from apps.engine.protocol.opcodes import MalformedOps, Op, TooManyOps, is_empty, parse_ops

A = "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"


def only(body: bytes) -> Op:
    (op,) = parse_ops(body)
    return op


@pytest.mark.parametrize(
    ("body", "user_index", "data", "start_ms", "duration_ms"),
    [
        pytest.param(
            b'[{"displayName":"a","id":"86f7e4","name":"a","op":"StepRun","opts":null,'
            b'"userland":{"id":"a","index":null},"data":1}]',
            0,
            b"1",
            0,
            0,
            id="python",
        ),
        pytest.param(
            b'[{"id":"86f7e4","op":"StepRun","name":"a","opts":{},"displayName":"a",'
            b'"userland":{"id":"a","index":1},"data":null,"timing":{"a":1795438912510000000,"b":12000000}}]',
            1,
            b"null",
            1795438912510,
            12,
            id="typescript",
        ),
        pytest.param(
            b'[{"op":"StepRun","id":"86f7e4","name":"a","opts":null,"data":{"x": [1]},"error":null,'
            b'"displayName":null,"timing":{"a":1795439193332315399,"b":100},"userland":{"id":"a"}}]',
            0,
            b'{"x": [1]}',
            1795439193332,
            0,
            id="go",
        ),
    ],
)
def test_step_results_of_each_sdk(
    body: bytes, user_index: int, data: bytes, start_ms: int, duration_ms: int
) -> None:
    op = only(body)
    assert (op.op, op.id, op.name, op.display_name, op.user_id) == ("StepRun", "86f7e4", "a", "a", "a")
    assert (op.user_index, op.data, op.has_data, op.error) == (user_index, data, True, b"")
    assert (op.timing_start_ms, op.timing_duration_ms) == (start_ms, duration_ms)


@pytest.mark.parametrize("name", opcodes.OP_NAMES)
@pytest.mark.parametrize("spelling", [str, str.lower, str.upper])
def test_opcode_names_are_matched_in_any_case(name: str, spelling: type[str]) -> None:
    entry = {"op": spelling(name), "id": A, "error": {"message": "m"}}
    assert only(json.dumps([entry]).encode()).op == name


def test_classes_cover_the_opcodes() -> None:
    assert set(opcodes.OP_NAMES) >= opcodes.PLAN_OPS | opcodes.FIRST_OPS | opcodes.CHECKPOINT_OPS
    assert {"Step", "StepRun", "StepPlanned", "DeferAdd", "DeferAbort"} == opcodes.CHECKPOINT_OPS
    assert not opcodes.PLAN_OPS & (opcodes.RESULT_OPS | opcodes.LAZY_OPS | opcodes.COMPLETE_OPS)


def test_one_object_stands_for_an_array_of_one() -> None:
    assert only(b' {"op":"RunComplete","data":{"a":1}} ').data == b'{"a":1}'


@pytest.mark.parametrize("body", [b"[]", b"null", b" [ ] ", b'[{"op":"None"}]', b'[{"op":"None","id":""}]'])
def test_empty_responses(body: bytes) -> None:
    assert is_empty(parse_ops(body))


@pytest.mark.parametrize("body", [b'[{"op":"None","id":"x"}]', b'[{"op":"DiscoveryRequest"}]'])
def test_responses_that_ask_for_something(body: bytes) -> None:
    assert not is_empty(parse_ops(body))


def test_missing_data_is_null() -> None:
    op = only(b'[{"op":"StepRun","id":"x"}]')
    assert (op.data, op.has_data) == (b"null", False)


def test_internals_that_an_sdk_leaks_are_skipped() -> None:
    op = only(b'[{"op":"StepRun","id":"x","mode":2,"rawArgs":[{}],"promise":{},"metadata":[{}],"data":2}]')
    assert op.data == b"2"


@pytest.mark.parametrize(
    ("members", "shown"),
    [
        ({"displayName": "D", "name": "n", "userland": {"id": "u"}}, "D"),
        ({"displayName": None, "name": "n", "userland": {"id": "u"}}, "u"),
        ({"name": "n", "userland": None}, "n"),
        ({}, ""),
    ],
)
def test_display_name(members: dict[str, object], shown: str) -> None:
    assert only(json.dumps([{"op": "StepRun", "id": "x", **members}]).encode()).display_name == shown


@pytest.mark.parametrize(
    "members", [{"userland": 5}, {"timing": "x"}, {"timing": {"a": "1"}}, {"userland": {"index": "1"}}]
)
def test_odd_display_members_do_not_fail_an_attempt(members: dict[str, object]) -> None:
    op = only(json.dumps([{"op": "StepRun", "id": "x", "opts": {"k": 1}, "data": 3, **members}]).encode())
    assert (op.data, op.raw_option("k")) == (b"3", b"1")


def test_options_that_are_no_object_are_none() -> None:
    op = only(b'[{"op":"Sleep","id":"x","name":"1s","opts":[1]}]')
    assert op.opts is None
    assert op.text_option("duration") == ""


def test_options_stay_raw() -> None:
    op = only(b'[{"op":"StepRun","id":"x","opts":{"type":"step.ai.wrap","input":[1, 2],"z":null}}]')
    assert (op.type, op.input, op.raw_option("z"), op.raw_option("none")) == (
        "step.ai.wrap",
        b"[1, 2]",
        b"",
        b"",
    )


@pytest.mark.parametrize(
    ("opts", "is_race"), [('{"parallelMode":"race"}', True), ('{"parallelMode":"x"}', False), ("{}", False)]
)
def test_race_mode(opts: str, is_race: bool) -> None:
    assert only(b'[{"op":"Sleep","id":"x","opts":%b}]' % opts.encode()).parallel_race is is_race


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (
            '{"name":"E","message":"m","stack":"s","code":"c","__serialized":true}',
            '{"message":"m","name":"E","stack":"s"}',
        ),
        (
            '{"message":"m","localizedMessage":"l","stackTrace":[{}],"cause":null}',
            '{"message":"m","name":"Error"}',
        ),
        (
            '{"name":"E","message":"m","cause":{"a": 1},"data":[2]}',
            '{"cause":{"a": 1},"data":[2],"message":"m","name":"E"}',
        ),
        ('{"name":5,"message":null,"stack":[]}', '{"message":"","name":"Error"}'),
        ("{}", '{"message":"","name":"Error"}'),
    ],
)
@pytest.mark.parametrize("op", ["StepError", "StepFailed"])
def test_errors_are_cleaned(op: str, sent: str, kept: str) -> None:
    assert only(f'[{{"op":"{op}","id":"x","error":{sent}}}]'.encode()).error == kept.encode()


def test_lone_surrogates_of_javascript_become_the_replacement_character() -> None:
    op = only(rb'[{"op":"StepRun","id":"x","data":"\ud83d a \ud83d\ude00 \\ud83d"}]')
    assert op.data == rb'"\ufffd a \ud83d\ude00 \\ud83d"'


READING = "error reading generator opcode response: "


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", READING),
        (b"hello", READING),
        (b"5", READING),
        (b'"x"', READING),
        (b"[null]", READING),
        (b"[1]", READING),
        (b"[{}]", READING),
        (b'[{"op":7,"id":"x"}]', READING),
        (b'[{"op":"Fly","id":"x"}]', READING + "unknown opcode 'Fly'"),
        (b'[{"op":"StepRun"}]', READING + "StepRun without an id"),
        (b'[{"op":"StepError","id":"x"}]', READING + "StepError without an error object"),
        (b'[{"op":"StepFailed","id":"x","error":null}]', READING + "StepFailed without an error object"),
        (b'[{"op":"StepFailed","id":"x","error":"boom"}]', READING + "StepFailed without an error object"),
        (b'[{"op":"StepRun","id":"\xff"}]', READING),
        (b'[{"op":"StepRun","id":"x","data":"\xff"}]', READING),
        (b"[" * 100_000, READING),
    ],
)
def test_malformed(body: bytes, text: str) -> None:
    with pytest.raises(MalformedOps) as failure:
        parse_ops(body)
    assert str(failure.value).startswith(text)


@pytest.mark.parametrize(
    ("member", "what"),
    [('"data":"%s"', "output"), ('"error":{"message":"%s"}', "output"), ('"opts":{"input":["%s"]}', "input")],
)
def test_step_size_limits(member: str, what: str) -> None:
    body = f'[{{"op":"StepRun","id":"{A}",{member % ("x" * opcodes.MAX_STEP_BYTES)}}}]'
    with pytest.raises(MalformedOps) as failure:
        parse_ops(body.encode())
    assert str(failure.value) == (
        f"error validating generator opcode {A}: step {what} size is greater than the limit"
    )


def test_data_at_the_limit_passes() -> None:
    text = "x" * (opcodes.MAX_STEP_BYTES - 2)
    assert len(only(f'[{{"op":"StepRun","id":"x","data":"{text}"}}]'.encode()).data) == opcodes.MAX_STEP_BYTES


def test_number_of_ops() -> None:
    entry = {"op": "StepPlanned", "id": "x"}
    assert len(parse_ops(json.dumps([entry] * 1000).encode())) == 1000
    with pytest.raises(TooManyOps):
        parse_ops(json.dumps([entry] * 1001).encode())


def test_secrets_do_not_show_in_logs() -> None:
    op = only(b'[{"op":"AIGateway","id":"x","displayName":"inf","opts":{"auth_key":"sk-1"}}]')
    assert repr(op) == "Op(AIGateway x 'inf')"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
op_members = st.dictionaries(
    st.sampled_from(["id", "name", "displayName", "opts", "data", "error", "userland", "timing"]), json_values
)


@given(st.lists(st.tuples(st.sampled_from(opcodes.OP_NAMES), op_members), max_size=3))
def test_any_members_parse_or_are_malformed(entries: list[tuple[str, dict[str, object]]]) -> None:
    body = json.dumps([{**members, "op": op} for op, members in entries]).encode()
    try:
        ops = parse_ops(body)
    except MalformedOps:
        return
    for op in ops:
        msgspec.json.decode(op.data)
        assert (op.error != b"") == (op.op in opcodes.ERROR_OPS)


@given(st.binary(max_size=60))
def test_any_bytes_parse_or_are_malformed(body: bytes) -> None:
    with contextlib.suppress(MalformedOps):
        parse_ops(body)
