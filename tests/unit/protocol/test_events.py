import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.engine.protocol.event_batches import NOT_EVENTS
from apps.engine.protocol.event_errors import EventRejected, MalformedEvent
from apps.engine.protocol.events import ParsedEvents, parse_events, parse_invocation
from apps.engine.protocol.ids import is_ulid, parse_seed, ulid_time_ms

NOW = 1_795_438_230_000
SEED = parse_seed("1795438400700,HcP7tNnaYWED8Q==")
FIRST_ID = "01M847FN5W3Q1ZQD6SV9GP20ZJ"
SECOND_ID = "01M847FN5W3Q1ZQD6SV9GP20ZK"


def parse(body: bytes | str, max_bytes: int = 3_145_728) -> ParsedEvents:
    raw = body.encode() if isinstance(body, str) else body
    return parse_events(raw, received_ms=NOW, max_bytes=max_bytes, seed=SEED)


def body_of(event: str) -> bytes:
    parsed = parse(event)
    assert parsed.error is None
    return parsed.accepted[0].body


def error_of(body: bytes | str) -> str:
    parsed = parse(body)
    assert parsed.accepted == []
    assert parsed.error is not None
    return parsed.error


def test_the_least_event() -> None:
    event = parse('{"name":"a"}').accepted[0]
    assert event.internal_id == FIRST_ID
    assert event.name == "a"
    assert event.body == b'{"data":{},"id":"%b","name":"a","ts":%d,"user":{}}' % (FIRST_ID.encode(), NOW)
    assert event.has_own_id is False


def test_every_field_in_sorted_order_and_others_dropped() -> None:
    event = parse(
        '{"v":"2","user":{"id": 7},"ts":1795438229081,"name":"é\\n","meta":{"z":1},"id":"own","extra":[],'
        '"data":{"b":1.0, "a":12345678901234567890}}'
    ).accepted[0]
    assert event.body.decode() == (
        '{"data":{"b":1.0, "a":12345678901234567890},"id":"own","meta":{"z":1},"name":"é\\n",'
        '"ts":1795438229081,"user":{"id": 7},"v":"2"}'
    )
    assert event.has_own_id is True
    assert event.internal_id == FIRST_ID


@pytest.mark.parametrize(
    "fields",
    [
        '"data":null',
        '"user":null',
        '"id":null',
        '"id":""',
        '"ts":null',
        '"ts":0',
        '"v":null',
        '"meta":null',
        '"meta":{}',
    ],
)
def test_null_and_empty_fields_are_absent(fields: str) -> None:
    assert body_of(f'{{"name":"a",{fields}}}') == body_of('{"name":"a"}')


def test_ids_follow_the_seed_by_position() -> None:
    parsed = parse('[{"name":"a"},{"name":"b","id":"x"}]')
    assert [event.internal_id for event in parsed.accepted] == [FIRST_ID, SECOND_ID]


def test_ids_without_a_seed_are_new_and_rise() -> None:
    parsed = parse_events(b'[{"name":"a"},{"name":"a"}]', received_ms=NOW, max_bytes=1000, seed=None)
    first, second = (event.internal_id for event in parsed.accepted)
    assert is_ulid(first)
    assert ulid_time_ms(first) >= NOW
    assert first < second


@pytest.mark.parametrize("body", ["", "[]", " \n", " [ ] "])
def test_nothing_is_no_error(body: str) -> None:
    assert parse(body) == ParsedEvents([], None)


@pytest.mark.parametrize(
    "data",
    [
        '{"_inngest":1,"b":1.0}',
        '{"b":1.0,"_inngest":{"fn_id":"x"}}',
        '{"_inn\\u0067est":1,"b":1.0,"_inngest":2}',
    ],
)
def test_the_engines_own_member_is_removed(data: str) -> None:
    assert json.loads(body_of(f'{{"name":"a","data":{data}}}'))["data"] == {"b": 1.0}


def test_the_engines_name_elsewhere_stays() -> None:
    data = '{"x":{"_inngest":1}, "y":"_inngest \\u0041"}'
    assert f'"data":{data},'.encode() in body_of(f'{{"name":"a","data":{data}}}')


def test_lone_surrogates_become_replacement_characters() -> None:
    body = body_of('{"name":"a","data":{"x":"\\ud83d","y":"\\ud83d\\ude00","z":"\\\\ud83d"}}')
    assert b'{"x":"\\ufffd","y":"\\ud83d\\ude00","z":"\\\\ud83d"}' in body


@pytest.mark.parametrize(
    ("event", "error"),
    [
        ("{}", "event name is empty"),
        ('{"name":""}', "event name is empty"),
        ('{"name":null}', "event name is empty"),
        ('{"name":"inngest/x"}', "event name is reserved for internal use: inngest/x"),
        (
            '{"name":"InnGest/function.finished"}',
            "event name is reserved for internal use: InnGest/function.finished",
        ),
        ('{"name":"a\\u0000"}', "event name holds a NUL character"),
        ('{"name":"a","id":"\\u0000"}', "event id holds a NUL character"),
        ('{"name":"a","ts":315532799999}', "timestamp is before Jan 1, 1980"),
        ('{"name":"a","ts":-1}', "timestamp is before Jan 1, 1980"),
        ('{"name":"a","ts":4102444800001}', "timestamp is after Jan 1, 2100"),
        ('{"name":"a","ts":' + "9" * 40 + "}", "timestamp is after Jan 1, 2100"),
        ('{"name":5}', "invalid event: Expected `str | null`, got `int` - at `$.name`"),
        ('{"name":"a","id":5}', "invalid event: Expected `str | null`, got `int` - at `$.id`"),
        ('{"name":"a","v":5}', "invalid event: Expected `str | null`, got `int` - at `$.v`"),
        (
            '{"name":"a","ts":1795438229081.5}',
            "invalid event: Expected `int | null`, got `float` - at `$.ts`",
        ),
        (
            '{"name":"a","ts":1795438229081.0}',
            "invalid event: Expected `int | null`, got `float` - at `$.ts`",
        ),
        ('{"name":"a","ts":"1795438229081"}', "invalid event: Expected `int | null`, got `str` - at `$.ts`"),
        ('{"name":"a","ts":true}', "invalid event: Expected `int | null`, got `bool` - at `$.ts`"),
        ('{"name":"a","data":[]}', "event data must be an object"),
        ('{"name":"a","data":"x"}', "event data must be an object"),
        ('{"name":"a","user":1}', "event user must be an object"),
        ('{"name":"a","meta":[]}', "event meta must be an object"),
        ('{"name":"a","data":{"x":1e400}}', "invalid event data: number is infinity when parsed as double"),
        (
            '{"name":"a","data":{"x":' + "[" * 600 + "]" * 600 + "}}",
            "invalid event data: depth limit exceeded",
        ),
        ('{"name":"a","data":{"x":' + "[" * 9_000 + "]" * 9_000 + "}}", "event is nested too deeply"),
        ("x", NOT_EVENTS),
        ('"name"', NOT_EVENTS),
        ("5", NOT_EVENTS),
        ("name=a&data=b", NOT_EVENTS),
        ("\ufeff{}", NOT_EVENTS),
        ('{"name":"a"}\n{"name":"b"}', "invalid event: JSON is malformed: trailing characters (byte 14)"),
        ('{"name":"a"', "invalid event: Input data was truncated"),
        ("[5]", "invalid event: Expected `object`, got `int`"),
        ("[null]", "invalid event: Expected `object`, got `null`"),
        ("[", "invalid JSON: Expecting value: line 1 column 2 (char 1)"),
        ("[" * 9_000, "event is nested too deeply"),
    ],
)
def test_what_is_refused(event: str, error: str) -> None:
    assert error_of(event) == error


def test_text_that_is_not_utf8() -> None:
    assert error_of(b'{"name":"a","data":{"x":"\xff"}}') == "Request body is not valid UTF-8"


@pytest.mark.parametrize("ts", [315_532_800_000, 4_102_444_800_000])
def test_the_edges_of_time_are_accepted(ts: int) -> None:
    assert b'"ts":%d,' % ts in body_of(f'{{"name":"a","ts":{ts}}}')


def test_lengths_of_name_and_id() -> None:
    long_name, long_id = "é" * 256, "é" * 512
    assert parse(json.dumps({"name": long_name, "id": long_id})).error is None
    assert error_of(json.dumps({"name": long_name + "x"})) == (
        "event name is too long. maximum length is 256 characters"
    )
    assert error_of(json.dumps({"name": "a", "id": long_id + "x"})) == (
        "event id is too long. maximum length is 512 characters"
    )


def test_nesting_up_to_the_limit_is_accepted() -> None:
    data = '{"x":' + "[" * 499 + "]" * 499 + "}"
    assert data.encode() in body_of(f'{{"name":"a","data":{data}}}')
    wide = json.dumps({"x": [{} for _ in range(2000)]})
    assert wide.encode() in body_of(f'{{"name":"a","data":{wide}}}')


def test_size_counts_each_event_alone() -> None:
    event = b'{"name":"a","data":{"x":"%b"}}' % (b"y" * 72)
    assert len(event) == 100
    assert parse(b"[%b,%b]" % (event, event), max_bytes=100).error is None
    parsed = parse(b'[{"name":"a"}, %b ]' % event, max_bytes=99)
    assert len(parsed.accepted) == 1
    assert parsed.error == "Event is over the max size: Max 99 bytes / Size 100 bytes"


def test_five_thousand_events_are_the_most() -> None:
    parsed = parse(b"[" + b",".join([b'{"name":"a"}'] * 5001) + b"]")
    assert len(parsed.accepted) == 5000
    assert parsed.error == "Cannot have more than 5000 events in a batch"
    assert parse(b"[" + b",".join([b'{"name":"a"}'] * 5000) + b"]").error is None


@pytest.mark.parametrize(
    ("rest", "error"),
    [
        (',{"name":""},{"name":"c"}]', "event name is empty"),
        (",5]", "invalid event: Expected `object`, got `int`"),
        (',{"name":', "invalid JSON: Expecting value: line 1 column 23 (char 22)"),
        (",]", "invalid JSON: Expecting value: line 1 column 15 (char 14)"),
        ("", "unexpected end of JSON input"),
        (" 5]", "invalid character '5' after array element"),
        ("] [", "invalid character '[' after top-level value"),
        (',{"n":' + "[" * 5000, "event is nested too deeply"),
    ],
)
def test_events_before_the_first_bad_one_are_accepted(rest: str, error: str) -> None:
    parsed = parse('[{"name":"é"}' + rest)
    assert [event.name for event in parsed.accepted] == ["é"]
    assert parsed.error == error


def test_numbers_longer_than_python_converts() -> None:
    parsed = parse('[{"name":"a"},{"n":' + "1" * 5000)
    assert len(parsed.accepted) == 1
    assert (parsed.error or "").startswith("invalid JSON: Exceeds the limit")


@pytest.mark.parametrize(
    ("meta", "stored"),
    [
        ('{"other":1.0}', '{"other":1.0}'),
        ('{"sessions":{"a":"1","b":2,"c":2.50}}', '{"sessions":{"a":"1","b":"2","c":"2.5"}}'),
        ('{"propagated_sessions":{"a":"1"}}', '{"sessions":{"a":"1"}}'),
        (
            '{"sessions":{"a":"own"},"propagated_sessions":{"a":"x","b":"y"}}',
            '{"sessions":{"a":"own","b":"y"}}',
        ),
        ('{"sessions":{"a":null},"propagated_sessions":{"a":"x","b":"y"}}', '{"sessions":{"b":"y"}}'),
        ('{"sessions":null,"propagated_sessions":{"a":"x"}}', ""),
        ('{"sessions":{}}', ""),
        ('{"x":1,"sessions":null}', '{"x":1}'),
        (
            '{"sessions":{"z":"0","y":"0","x":"0"},"propagated_sessions":{"c":"3","b":"2","a":"1"}}',
            '{"sessions":{"z":"0","y":"0","x":"0","a":"1","b":"2"}}',
        ),
    ],
)
def test_sessions_are_merged(meta: str, stored: str) -> None:
    body = body_of(f'{{"name":"a","meta":{meta}}}').decode()
    expected = f'"meta":{stored},' if stored else ""
    assert body == f'{{"data":{{}},"id":"{FIRST_ID}",{expected}"name":"a","ts":{NOW},"user":{{}}}}'


@pytest.mark.parametrize(
    ("meta", "error"),
    [
        ({"sessions": dict.fromkeys("abcdef", "x")}, "Cannot have more than 5 sessions in an event"),
        ({"sessions": {"k" * 129: "x"}}, "A session key is over the max size: Max 128 bytes"),
        ({"sessions": {"k": "é" * 257}}, "A session id is over the max size: Max 512 bytes"),
        ({"propagated_sessions": {"k": "é" * 257}}, "A session id is over the max size: Max 512 bytes"),
        ({"sessions": {"k": True}}, "A session id must be a string or a number"),
        ({"sessions": {"k": []}}, "A session id must be a string or a number"),
        ({"sessions": []}, "meta.sessions must be an object"),
        ({"propagated_sessions": "x"}, "meta.propagated_sessions must be an object"),
        ({"x": "y" * 32_761}, "Event meta is over the max size: Max 32768 bytes / Size 32769 bytes"),
    ],
)
def test_limits_of_meta(meta: dict[str, Any], error: str) -> None:
    assert error_of(json.dumps({"name": "a", "meta": meta}, separators=(",", ":"))) == error


def test_an_invocation_names_its_target() -> None:
    event = parse_invocation(
        b'{"name":"ignored","data":{"a": 1,"_inngest":{"fn_id":"other"}},"id":"own","v":"1"}',
        "my-app-fn",
        received_ms=NOW,
        max_bytes=1000,
        seed=SEED,
    )
    assert event.internal_id == "01M847FN5W3Q1ZQD6SV9GP20ZH"
    assert event.name == "inngest/function.invoked"
    assert event.has_own_id is True
    assert event.body == (
        b'{"data":{"_inngest":{"fn_id":"my-app-fn"},"a":1},"id":"own","name":"inngest/function.invoked",'
        b'"ts":1795438230000,"user":{},"v":"1"}'
    )


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"5", b'{"data":[]}', b'{"ts":"x"}', b"\xff"])
def test_an_invocation_that_is_no_event(body: bytes) -> None:
    with pytest.raises(MalformedEvent):
        parse_invocation(body, "fn", received_ms=NOW, max_bytes=1000, seed=None)


def test_an_invocation_outside_of_the_limits() -> None:
    with pytest.raises(EventRejected, match="timestamp is before Jan 1, 1980"):
        parse_invocation(b'{"ts":1}', "fn", received_ms=NOW, max_bytes=1000, seed=None)


@settings(deadline=None)
@given(st.binary())
def test_any_bytes_are_answered(body: bytes) -> None:
    assert isinstance(parse(body), ParsedEvents)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
_field = st.sampled_from(["name", "data", "user", "id", "ts", "v", "meta"])
_meta = st.fixed_dictionaries({}, optional={"sessions": _json, "propagated_sessions": _json})


@settings(deadline=None)
@given(st.lists(st.dictionaries(_field, _json | _meta), max_size=3))
def test_any_event_is_accepted_whole_or_refused(events: list[dict[str, Any]]) -> None:
    parsed = parse(json.dumps(events))
    assert (parsed.error is None) == (len(parsed.accepted) == len(events))
    for event in parsed.accepted:
        assert list(json.loads(event.body)) == sorted(json.loads(event.body))
