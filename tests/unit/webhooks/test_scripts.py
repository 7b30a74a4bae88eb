"""What counts as the result of a script."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.webhooks.runtime.messages import Ending, Result
from apps.webhooks.scripts import ResultInvalid, emitted_events, response_of, thrown_message

NOW_MS = 1_764_000_000_000
META = {"webhook": {"verified": True}}


def emitted(value: object, max_bytes: int = 100_000) -> list[dict[str, Any]]:
    text = value if isinstance(value, str) else json.dumps(value)
    events = emitted_events(text, meta=META, received_ms=NOW_MS, max_bytes=max_bytes)
    return [json.loads(event.body) for event in events]


def test_an_event_with_all_its_members() -> None:
    event = {"name": "a/b", "data": {"x": 1}, "id": "own", "ts": NOW_MS - 5, "user": {"id": 7}, "v": "2"}
    assert emitted(event) == [{**event, "meta": META}]


def test_an_event_with_what_it_needs() -> None:
    [event] = emitted({"name": "a", "data": {}})
    assert event == {"name": "a", "data": {}, "id": event["id"], "ts": NOW_MS, "user": {}, "meta": META}
    assert len(event["id"]) == 26


def test_several_events_in_order() -> None:
    assert [event["name"] for event in emitted([{"name": n, "data": {}} for n in "abc"])] == ["a", "b", "c"]


@pytest.mark.parametrize("value", ["null", "[]"])
def test_nothing_is_dropped(value: str) -> None:
    assert emitted(value) == []


def test_what_a_script_says_of_verification_does_not_count() -> None:
    [event] = emitted(
        {"name": "a", "data": {}, "meta": {"webhook": {"verified": False}, "sessions": {"a": 1}}}
    )
    assert event["meta"] == META


def test_null_members_are_absent_ones() -> None:
    [event] = emitted({"name": "a", "data": {}, "id": None, "ts": None, "user": None, "v": None})
    assert (event["ts"], event["user"], "v" in event) == (NOW_MS, {}, False)


def test_a_time_with_a_fraction_is_rounded() -> None:
    assert emitted({"name": "a", "data": {}, "ts": NOW_MS + 0.6})[0]["ts"] == NOW_MS + 1


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ({}, "the event has no name"),
        ({"data": {}}, "the event has no name"),
        ({"name": "", "data": {}}, "the event has no name"),
        ({"name": None, "data": {}}, "the event has no name"),
        ({"name": 7, "data": {}}, "Expected `str | null`, got `int` - at `$.name`"),
        ({"name": "a"}, "the event has no data"),
        ({"name": "a", "data": None}, "the event has no data"),
        ({"name": "a", "data": [1]}, "the data of the event is not an object"),
        ({"name": "a", "data": "x"}, "the data of the event is not an object"),
        ({"name": "a", "data": {}, "id": 7}, "Expected `str | null`, got `int` - at `$.id`"),
        ({"name": "a", "data": {}, "ts": "now"}, "Expected `int | float | null`, got `str` - at `$.ts`"),
        ({"name": "a", "data": {}, "ts": 5}, "timestamp is before Jan 1, 1980"),
        ({"name": "a", "data": {}, "user": []}, "event user must be an object"),
        ({"name": "inngest/x", "data": {}}, "event name is reserved for internal use: inngest/x"),
        ({"name": "a" * 300, "data": {}}, "event name is too long"),
        (7, "the result is not an event, which is an object"),
        ("text", "Expected"),
        ([{"name": "a", "data": {}}, 1], "event 2: the result is not an event, which is an object"),
        ([{"name": "a", "data": {}}, {"name": "b"}], "event 2: the event has no data"),
        ([{"name": "a", "data": {}}, {"name": "inngest/b", "data": {}}], "event 2: event name is reserved"),
    ],
)
def test_anything_else_is_an_error(value: object, error: str) -> None:
    with pytest.raises(ResultInvalid) as refused:
        emitted(json.dumps(value))
    assert error.split("Expected")[0] in str(refused.value)


def test_an_event_is_bounded() -> None:
    with pytest.raises(ResultInvalid, match="Event is over the max size: Max 100 bytes"):
        emitted({"name": "a", "data": {"x": "y" * 200}}, max_bytes=100)


def test_too_many_events() -> None:
    with pytest.raises(ResultInvalid, match="Cannot have more than 5000 events"):
        emitted([{"name": "a", "data": {}}] * 5001)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)
NEARLY = st.dictionaries(st.sampled_from(["name", "data", "id", "ts", "user", "v", "meta"]), JSON)


@given(st.one_of(JSON, NEARLY, st.lists(NEARLY, max_size=3)))
def test_no_result_raises_anything_else(value: object) -> None:
    try:
        events = emitted(json.dumps(value))
    except ResultInvalid:
        return
    for event in events:
        assert (bool(event["name"]), type(event["data"]), event["meta"]) == (True, dict, META)


def test_an_answer() -> None:
    answer = response_of('{"status":201,"headers":{"Content-Type":"application/json"},"body":"{}"}')
    assert answer is not None
    assert (answer.status, answer.body) == (201, b"{}")
    assert dict(answer.headers) == {
        b"content-type": b"application/json",
        b"x-content-type-options": b"nosniff",
        b"content-security-policy": b"default-src 'none'; sandbox",
    }


@pytest.mark.parametrize(
    ("returned", "body"),
    [('"x"', b"x"), ('{"a":1}', b'{"a":1}'), ("7", b"7"), ("null", b""), ('""', b"")],
)
def test_the_body_of_an_answer(returned: str, body: bytes) -> None:
    answer = response_of(f'{{"body":{returned}}}')
    assert answer is not None
    assert (answer.status, answer.body) == (200, body)


def test_no_answer() -> None:
    assert response_of("null") is None


@pytest.mark.parametrize(
    "name", ["Set-Cookie", "Location", "X-Accel-Redirect", "Access-Control-Allow-Origin"]
)
def test_headers_that_a_browser_or_proxy_would_obey_are_left_out(name: str) -> None:
    answer = response_of(
        json.dumps({"headers": {name: "x", "WebHook-Allowed-Origin": "*", "x-hook-secret": "s"}})
    )
    assert answer is not None
    assert [key for key, _ in answer.headers][:3] == [
        b"content-type",
        b"webhook-allowed-origin",
        b"x-hook-secret",
    ]
    assert name.lower().encode() not in dict(answer.headers)


def test_answers_are_no_pages() -> None:
    answer = response_of(json.dumps({"headers": {"content-type": "text/html; charset=utf-8"}, "body": "<p>"}))
    assert answer is not None
    assert dict(answer.headers)[b"content-type"] == b"text/plain"


@pytest.mark.parametrize("value", ["x\r\nSet-Cookie: a=b", "é", "a" * 2000])
def test_header_values_that_are_none(value: str) -> None:
    answer = response_of(json.dumps({"headers": {"webhook-x": value}}))
    assert answer is not None
    assert b"webhook-x" not in dict(answer.headers)


@pytest.mark.parametrize(
    "value", ['{"status":302}', '{"status":100}', '{"status":"x"}', "7", "[]", '{"headers":{"a":1}}']
)
def test_answers_that_are_none(value: str) -> None:
    with pytest.raises(ResultInvalid):
        response_of(value)


def test_an_answers_body_is_bounded() -> None:
    with pytest.raises(ResultInvalid, match="too large"):
        response_of(json.dumps({"body": "x" * 70_000}))


def test_what_went_wrong_in_one_line() -> None:
    result = Result(Ending.THROWN, message="TypeError: a\n b", line=3, column=1)
    assert thrown_message(result) == "TypeError: a b (line 3)"


def test_a_result_of_too_many_events_is_refused_before_any_is_looked_at() -> None:
    """The process that looks at them serves all tenants meanwhile."""
    with pytest.raises(ResultInvalid) as refused:
        emitted([{}] + [{"name": "a", "data": {}}] * 5000)
    assert str(refused.value) == "Cannot have more than 5000 events in a batch"
    assert len(emitted([{"name": "a", "data": {}}] * 5000)) == 5000


def test_an_answer_has_so_many_headers() -> None:
    headers = {f"webhook-{number}": "x" for number in range(50)}
    answer = response_of(json.dumps({"headers": headers}))
    assert answer is not None
    assert {name.encode() for name in headers} <= dict(answer.headers).keys()
    with pytest.raises(ResultInvalid, match="respond: there are more than 50 headers"):
        response_of(json.dumps({"headers": {**headers, "x": "y"}}))
    with pytest.raises(ResultInvalid, match="respond: the answer is too large"):
        response_of(json.dumps({"headers": {str(number): "x" for number in range(50_000)}}))
