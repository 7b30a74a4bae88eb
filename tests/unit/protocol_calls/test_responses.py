"""Classification of answers to call requests (spec 01, chapter 7; spec 04, chapter 5)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.engine.protocol.responses import Answer, Completed, Failed, Ops, classify, failed_call

NOW = 1_795_438_229_081
SDK = {"x-inngest-sdk": "inngest-js:v4.24.0"}
OPS = b'[{"op":"StepPlanned","id":"a"}]'


def answer(status: int, body: bytes, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return classify(status, SDK | named, body, NOW)


@pytest.mark.parametrize(
    ("body", "result"),
    [
        (b'{"a": 1}', b'{"a": 1}'),
        (b' {"a":1}\n', b'{"a":1}'),
        (b"null", b"null"),
        (b'"text"', b'"text"'),
        (b'"{\\"a\\":1}"', b'{"a":1}'),
        (b'"\\"{}\\""', b'"{}"'),
        (b"plain text", b'"plain text"'),
        (b"{broken", b'"{broken"'),
        (b"\xff\xfe", '"\ufffd\ufffd"'.encode()),
        (b'"\\ud83d!"', b'"\\ufffd!"'),
        (b"", None),
    ],
)
@pytest.mark.parametrize("status", [200, 202, 204])
def test_results(status: int, body: bytes, result: bytes | None) -> None:
    assert answer(status, body) == Completed(result)


def test_request_version() -> None:
    assert answer(200, b"1", x_inngest_req_version="2") == Completed(b"1", 2)
    for text in ("", "-1", "two", "22", "\u0662"):
        assert answer(200, b"1", x_inngest_req_version=text) == Completed(b"1", None)


def test_ops() -> None:
    result = answer(206, OPS, x_inngest_req_version="1", x_inngest_no_retry="true", retry_after="2")
    assert isinstance(result, Ops)
    assert [(op.op, op.id) for op in result.ops] == [("StepPlanned", "a")]
    assert (result.req_version, result.no_retry, result.retry_at_ms) == (1, True, NOW + 2000)


def test_ops_in_a_json_string() -> None:
    result = answer(206, json.dumps(OPS.decode()).encode())
    assert isinstance(result, Ops)
    assert result.ops[0].id == "a"


@pytest.mark.parametrize(
    ("text", "expected"), [("true", True), ("false", False), ("True", False), ("1", False), ("", False)]
)
def test_only_the_exact_text_true_forbids_retries(text: str, expected: bool) -> None:
    ops, failed = answer(206, OPS, x_inngest_no_retry=text), answer(500, b"", x_inngest_no_retry=text)
    assert isinstance(ops, Ops)
    assert isinstance(failed, Failed)
    assert (ops.no_retry, failed.no_retry) == (expected, expected)


@pytest.mark.parametrize(
    ("text", "retry_at_ms"),
    [("3", NOW + 3000), ("2026-11-23T12:51:00Z", 1_795_438_260_000), ("soon", None), ("", None)],
)
def test_retry_after(text: str, retry_at_ms: int | None) -> None:
    result = answer(500, b"{}", retry_after=text)
    assert isinstance(result, Failed)
    assert result.retry_at_ms == retry_at_ms


@pytest.mark.parametrize("status", [400, 401, 404, 500, 503, 301, 100])
def test_function_errors(status: int) -> None:
    result = answer(status, b'{"name":"E","message":"m"}', x_inngest_no_retry="false")
    assert result == Failed(
        f'{{"error":"invalid status code: {status}","message":"m","name":"E"}}'.encode(),
        b'{"name":"E","message":"m"}',
    )


@pytest.mark.parametrize(("body", "output"), [(b"", b""), (b"plain", b'"plain"'), (b" [1] ", b"[1]")])
def test_the_body_of_an_error_is_kept_as_output(body: bytes, output: bytes) -> None:
    result = answer(500, body)
    assert isinstance(result, Failed)
    assert result.output == output


@pytest.mark.parametrize("status", [200, 204, 206])
def test_success_that_is_not_from_an_sdk(status: int) -> None:
    result = classify(status, {"x-inngest-no-retry": "true"}, b"hello", NOW)
    assert result == Failed(
        b'{"error":"The response did not come from an Inngest SDK","message":"hello","name":"Error"}',
        b'"hello"',
        kind="not_sdk",
    )


def test_error_that_is_not_from_an_sdk() -> None:
    result = classify(502, {"content-type": "text/html", "retry-after": "5"}, b"<h1>", NOW)
    assert isinstance(result, Failed)
    assert (result.kind, result.no_retry, result.retry_at_ms) == ("server_fatal", False, None)
    assert json.loads(result.error)["message"] == "Your server returned HTTP 502 before the SDK responded."


def test_malformed_ops() -> None:
    result = answer(206, b'[{"op":"Fly","id":"x"}]')
    text = "error reading generator opcode response: unknown opcode 'Fly'"
    assert isinstance(result, Failed)
    assert json.loads(result.error) == {"error": text, "message": text, "name": "Error"}
    assert (result.kind, result.no_retry) == ("malformed_ops", False)


def test_too_many_ops_end_the_run() -> None:
    result = answer(206, json.dumps([{"op": "StepPlanned", "id": "x"}] * 1001).encode())
    assert isinstance(result, Failed)
    assert (result.kind, result.no_retry) == ("too_many_ops", True)
    assert json.loads(result.error)["name"] == "InngestErrFunctionOverflowed"


def envelope(**members: object) -> bytes:
    return b"   " + json.dumps(members).encode()


def test_stream_of_ops() -> None:
    body = envelope(status=206, headers={"X-Inngest-Req-Version": "2"}, body=OPS.decode(), version=2)
    result = answer(201, body)
    assert isinstance(result, Ops)
    assert (result.ops[0].id, result.req_version) == ("a", 2)


def test_stream_headers_win_over_outer_ones() -> None:
    body = envelope(status=500, headers={"Retry-After": "7", "X-Inngest-No-Retry": "true"}, body="{}")
    result = answer(201, body, retry_after="3", x_inngest_no_retry="false")
    assert isinstance(result, Failed)
    assert (result.retry_at_ms, result.no_retry) == (NOW + 7000, True)


def test_outer_headers_count_where_inner_ones_are_missing() -> None:
    result = answer(201, envelope(status=500, body="{}"), retry_after="3")
    assert isinstance(result, Failed)
    assert result.retry_at_ms == NOW + 3000


def test_sdk_header_may_be_on_either_level() -> None:
    body = envelope(status=200, headers={"x-inngest-sdk": "go:v1"}, body="1")
    assert classify(201, {}, body, NOW) == Completed(b"1")
    assert classify(201, SDK, envelope(status=200, body="1"), NOW) == Completed(b"1")
    bare = classify(201, {}, envelope(status=200, body="1"), NOW)
    assert isinstance(bare, Failed)
    assert bare.kind == "not_sdk"


@pytest.mark.parametrize(
    ("members", "result"),
    [
        ({"body": '{"a":1}'}, b'{"a":1}'),
        ({"body": '"{\\"a\\":1}"'}, b'{"a":1}'),
        ({"body": {"a": 1}}, b'{"a": 1}'),
        ({"body": None}, b"null"),
        ({"body": "hello"}, b'"hello"'),
        ({"body": ""}, None),
        ({}, None),
    ],
)
def test_stream_bodies(members: dict[str, object], result: bytes | None) -> None:
    assert answer(201, envelope(status=200, **members)) == Completed(result)


def test_go_stream() -> None:
    body = envelope(
        status=500,
        body={"name": "E", "message": "m"},
        retryAt="2026-11-23T12:51:00Z",
        noRetry=False,
        headers={"X-Multi": ["a", "b"], "X-Number": 1, "X-Null": None, "X-Flag": True},
    )
    result = answer(201, body)
    assert isinstance(result, Failed)
    assert (result.retry_at_ms, result.no_retry) == (1_795_438_260_000, False)
    assert json.loads(result.error)["message"] == "m"
    final = answer(201, envelope(status=500, body={}, noRetry=True))
    assert isinstance(final, Failed)
    assert final.no_retry


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"   ", "error parsing stream: not one JSON document"),
        (b"", "error parsing stream: not one JSON document"),
        (b' {"status":206,"body":"[', "error parsing stream: not one JSON document"),
        (b"[1]", "error parsing stream: Expected `object`, got `array`"),
        (b'{"status":201,"body":"1"}', "error parsing stream: invalid status 201"),
        (b'{"body":"1"}', "error parsing stream: invalid status 0"),
        (b'{"error":"stopped"}', "stopped"),
    ],
)
def test_broken_streams(body: bytes, message: str) -> None:
    result = answer(201, body)
    assert isinstance(result, Failed)
    assert json.loads(result.error) == {"error": message, "message": message, "name": "Error"}
    assert (result.kind, result.no_retry) == ("stream", False)


def test_call_without_an_answer() -> None:
    result = failed_call("http_unreachable", "Unable to reach SDK URL", "refused")
    assert json.loads(result.error)["message"] == "Unable to reach SDK URL"
    assert (result.kind, result.output) == ("http_unreachable", b"")


header_maps = st.dictionaries(
    st.sampled_from(["x-inngest-sdk", "x-inngest-req-version", "x-inngest-no-retry", "retry-after"]),
    st.text(),
)


@given(st.integers(100, 599), header_maps, st.binary(max_size=80))
def test_any_answer_is_classified(status: int, headers: dict[str, str], body: bytes) -> None:
    result = classify(status, headers, body, NOW)
    assert isinstance(result, Completed | Ops | Failed)


json_values = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
envelopes = st.dictionaries(
    st.sampled_from(["status", "headers", "body", "error", "version", "retryAt", "noRetry"]),
    json_values
    | st.lists(json_values, max_size=2)
    | st.dictionaries(st.text(max_size=3), json_values, max_size=2),
)


@given(envelopes, st.sampled_from([200, 206, 500]))
def test_any_stream_is_classified(members: dict[str, object], status: int) -> None:
    body = json.dumps({"status": status, **members}, allow_nan=True).encode()
    result = answer(201, body)
    assert isinstance(result, Completed | Ops | Failed)
    if isinstance(result, Completed) and result.result is not None:
        json.loads(result.result)
