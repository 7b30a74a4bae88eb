"""Bodies, URLs and headers of call requests (spec 01, 2.1 and chapter 6)."""

import json
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.engine.protocol import requests
from apps.engine.protocol.jcs import canonicalise
from apps.engine.protocol.requests import (
    CallContext,
    build_body,
    call_headers,
    call_url,
    decode_qi_id,
    encode_qi_id,
)

EVENT = b'{"data":{"z":1},"id":"01M847ADJS0DM2JMAX5JR4DT01","name":"app/basic","ts":1795438229081,"user":{}}'
FIRST_CALL = CallContext(
    run_id="01M847ADSH6M07ZNE1VSGZJT5Q",
    fn_id="d3e50d4b-3305-5b98-ae03-ffa6686054f7",
    attempt=0,
    max_attempts=5,
    qi_id="M3NsZmNxbmFsM3hkeTo6ZGVmYXVsdA==",
    request_id="01M847ADW9YP91D77B5SH2GTH6",
    job_id="3slfcqnal3xdy",
    generation_id=1,
)


def test_first_call() -> None:
    assert build_body(FIRST_CALL, [EVENT], EVENT, ()) == (
        b'{"ctx":{"attempt":0,"disable_immediate_execution":false,"env":"",'
        b'"fn_id":"d3e50d4b-3305-5b98-ae03-ffa6686054f7","generation_id":1,"job_id":"3slfcqnal3xdy",'
        b'"max_attempts":5,"qi_id":"M3NsZmNxbmFsM3hkeTo6ZGVmYXVsdA==","request_id":"01M847ADW9YP91D77B5SH2GTH6",'
        b'"run_id":"01M847ADSH6M07ZNE1VSGZJT5Q","stack":{"current":0,"stack":[]},"step_id":"step",'
        b'"use_api":false},"defers":{},"event":%b,"events":[%b],"steps":{},"use_api":false,"version":-1}'
        % (EVENT, EVENT)
    )


def test_later_call() -> None:
    context = CallContext(
        "r", "f", 1, 5, ["b", "a"], 2, disable_immediate_execution=True, env="prod", version=2, step_id="c"
    )
    body = build_body(context, b"[1,2]", b"1", iter([("b", b"null"), ("a", b'{"data":1}')]), b'{"d":{}}')
    assert body == (
        b'{"ctx":{"attempt":1,"disable_immediate_execution":true,"env":"prod","fn_id":"f","max_attempts":5,'
        b'"run_id":"r","stack":{"current":2,"stack":["b","a"]},"step_id":"c","use_api":false},'
        b'"defers":{"d":{}},"event":1,"events":[1,2],"steps":{"a":{"data":1},"b":null},'
        b'"use_api":false,"version":2}'
    )


@given(st.text(), st.lists(st.tuples(st.text(), st.just(b'{"data":1}')), unique_by=lambda step: step[0]))
def test_bodies_are_canonical(text: str, steps: list[tuple[str, bytes]]) -> None:
    context = CallContext("r", "f", 0, 1, [step for step, _ in steps], 0, env=text, job_id=text, step_id=text)
    body = build_body(context, [EVENT], EVENT, steps)
    assert body == canonicalise(body)


def test_ids_outside_of_ascii_sort_by_utf16_units() -> None:
    body = build_body(FIRST_CALL, [], b"{}", [("\uff01", b"1"), ("\U0001f600", b"2")])
    assert list(json.loads(body)["steps"]) == ["\U0001f600", "\uff01"]


def is_by_api(body: bytes) -> bool:
    parsed = json.loads(body)
    assert parsed["use_api"] == parsed["ctx"]["use_api"]
    if parsed["use_api"]:
        assert (parsed["steps"], parsed["events"]) == ({}, [])
    return bool(parsed["use_api"])


def test_state_above_the_limit_is_left_out() -> None:
    room = requests.STATE_LIMIT_BYTES - len(b'{"a":}') - len(b"[1]")
    at_limit = b'"' + b"x" * (room - 2) + b'"'
    assert not is_by_api(build_body(FIRST_CALL, [b"1"], b"1", [("a", at_limit)]))
    assert is_by_api(build_body(FIRST_CALL, [b"1"], b"1", [("a", at_limit + b" ")]))


def test_body_above_the_limit_is_left_out() -> None:
    events = [b'"' + b"x" * (2 * 1024 * 1024) + b'"']
    assert is_by_api(build_body(FIRST_CALL, events, events[0], ()))


def test_use_api_can_be_asked_for() -> None:
    context = CallContext("r", "f", 0, 1, ["a"], 1, use_api=True)
    body = build_body(context, [EVENT], EVENT, [("a", b"null")])
    assert is_by_api(body)
    assert json.loads(body)["ctx"]["stack"] == {"current": 1, "stack": ["a"]}
    assert json.loads(body)["event"] == json.loads(EVENT)


@pytest.mark.parametrize(
    ("registered", "step_id", "expected"),
    [
        ("http://h:3000/api?fnId=a-b&stepId=step", "step", "http://h:3000/api?fnId=a-b&stepId=step"),
        ("http://h/api?fnId=a-b&stepId=step", "86f7", "http://h/api?fnId=a-b&stepId=86f7"),
        ("http://h/api?fnId=a-b&step=step", "x", "http://h/api?fnId=a-b&step=step&stepId=x"),
        ("http://h/api?stepId=step&fnId=a%2Fb+c", "x", "http://h/api?stepId=x&fnId=a%2Fb+c"),
        ("http://h/api?stepId=1&a=&stepId=2", "x", "http://h/api?stepId=x&a="),
        ("http://h/api", "x", "http://h/api?stepId=x"),
        ("http://h/api#top", "a&b/c d", "http://h/api?stepId=a%26b%2Fc%20d"),
    ],
)
def test_call_url(registered: str, step_id: str, expected: str) -> None:
    assert call_url(registered, step_id) == expected


@given(
    st.text(), st.dictionaries(st.text(st.characters(codec="ascii"), min_size=1, max_size=4), st.just("1"))
)
def test_call_url_keeps_every_parameter(step_id: str, others: dict[str, str]) -> None:
    others.pop("stepId", None)
    url = call_url(f"http://h/api?{urlencode(others)}", step_id)
    expected = {name: [value] for name, value in {**others, "stepId": step_id}.items()}
    assert parse_qs(urlsplit(url).query, keep_blank_values=True) == expected


def test_headers() -> None:
    assert call_headers(FIRST_CALL, "acc", "t=1&s=ab") == {
        "Content-Type": "application/json",
        "User-Agent": "Inngest",
        "Accept-Encoding": "gzip",
        "X-Inngest-Req-Version": "-1",
        "X-Run-ID": "01M847ADSH6M07ZNE1VSGZJT5Q",
        "X-Request-ID": "01M847ADW9YP91D77B5SH2GTH6",
        "X-Inngest-Job-ID": "3slfcqnal3xdy",
        "X-Inngest-Generation-ID": "1",
        "X-Inngest-Step-ID": "step",
        "Account-ID": "acc",
        "X-Inngest-Signature": "t=1&s=ab",
    }


def test_headers_without_key_and_generation() -> None:
    headers = call_headers(CallContext("r", "f", 0, 1), "acc")
    assert "X-Inngest-Signature" not in headers
    assert "X-Inngest-Generation-ID" not in headers


def test_queue_item_reference() -> None:
    assert encode_qi_id("3slfcqnal3xdy", "default") == "M3NsZmNxbmFsM3hkeTo6ZGVmYXVsdA=="
    assert decode_qi_id("M3NsZmNxbmFsM3hkeTo6ZGVmYXVsdA==") == ("3slfcqnal3xdy", "default")
    assert decode_qi_id(encode_qi_id("a::b", "0")) == ("a::b", "0")


@given(st.text())
def test_foreign_references_are_none(text: str) -> None:
    decoded = decode_qi_id(text)
    assert decoded is None or encode_qi_id(*decoded) == text
