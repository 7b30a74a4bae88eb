"""Error objects and memos, byte for byte (spec 01, 6.5 and 7.3; spec 02, 6.8 and 6.9)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.engine.protocol import errors, memos
from apps.engine.protocol.jcs import canonicalise


@pytest.mark.parametrize(
    ("status", "body", "no_retry", "expected"),
    [
        (
            500,
            '{"message":"nope","name":"NF"}',
            False,
            '{"error":"invalid status code: 500","message":"nope","name":"NF"}',
        ),
        (
            500,
            '{"message":"nope","name":"NF"}',
            True,
            '{"error":"NonRetriableError","message":"nope","name":"NF"}',
        ),
        (
            500,
            '{"message":"only msg"}',
            False,
            '{"error":"invalid status code: 500","message":"only msg","name":"Error"}',
        ),
        (
            500,
            '{"error":"err-field","code":"x"}',
            False,
            '{"error":"err-field","message":"invalid status code: 500","name":"Error"}',
        ),
        (
            500,
            '"just a string"',
            False,
            '{"error":"invalid status code: 500","message":"invalid status code: 500","name":"Error"}',
        ),
        (
            500,
            "plain text",
            False,
            '{"error":"invalid status code: 500","message":"plain text","name":"Error"}',
        ),
        (
            500,
            "",
            False,
            '{"error":"invalid status code: 500","message":"invalid status code: 500","name":"Error"}',
        ),
        (
            500,
            '{"body":"{\\"name\\":\\"N\\",\\"message\\":\\"M\\"}"}',
            False,
            '{"error":"invalid status code: 500","message":"M","name":"N"}',
        ),
        (
            502,
            '{"body":{"name":"N","message":"M","stack":"s"}}',
            False,
            '{"error":"invalid status code: 502","message":"M","name":"N","stack":"s"}',
        ),
        (
            400,
            '{"name":"E","message":"m","stack":"at x","cause":{"a":1},"__serialized":true}',
            True,
            '{"cause":{"a":1},"error":"NonRetriableError","message":"m","name":"E","stack":"at x"}',
        ),
        (
            500,
            '{"name":1,"message":["x"],"stack":{},"cause":null}',
            False,
            '{"error":"invalid status code: 500","message":"invalid status code: 500","name":"Error"}',
        ),
    ],
)
def test_function_errors(status: int, body: str, no_retry: bool, expected: str) -> None:
    assert errors.function_error(status, body.encode(), no_retry).decode() == expected


@given(st.binary(max_size=80), st.booleans())
def test_any_body_makes_an_error_object(body: bytes, no_retry: bool) -> None:
    parsed = json.loads(errors.function_error(500, body, no_retry))
    assert isinstance(parsed["name"], str)
    assert isinstance(parsed["message"], str)


@given(
    st.dictionaries(
        st.sampled_from(["name", "message", "body", "error"]), st.none() | st.text() | st.integers()
    )
)
def test_any_members_make_an_error_object(members: dict[str, object]) -> None:
    parsed = json.loads(errors.function_error(500, json.dumps(members).encode(), False))
    assert set(parsed) == {"error", "name", "message"}


def test_answers_that_are_not_from_an_sdk() -> None:
    assert errors.not_sdk(b"<html>") == (
        b'{"error":"The response did not come from an Inngest SDK","message":"<html>","name":"Error"}'
    )
    fatal = json.loads(errors.server_fatal(502, "text/html", b"x" * 9000))
    text = "Your server returned HTTP 502 before the SDK responded."
    assert (fatal["name"], fatal["message"], fatal["error"]) == ("Server returned a fatal error", text, text)
    assert "Content type: text/html\n\n" in fatal["stack"]
    assert fatal["stack"].endswith("\n" + "x" * 8192)


def test_transport_errors() -> None:
    assert json.loads(errors.transport_error("http_unreachable", errors.UNREACHABLE, "refused")) == {
        "error": "Unable to reach SDK URL",
        "message": "Unable to reach SDK URL",
        "name": "Error",
        "stack": "refused",
    }
    assert json.loads(errors.transport_error("output_too_large", errors.OUTPUT_TOO_LARGE)) == {
        "error": "Your function's response body exceeds the maximum size limit",
        "message": "Your function's response body exceeds the maximum size limit",
        "name": "output_too_large",
    }


@pytest.mark.parametrize(
    ("error", "name", "message"),
    [
        (
            errors.steps_overflowed(1000),
            "InngestErrFunctionOverflowed",
            "The function run exceeded the step limit of 1000 steps.",
        ),
        (
            errors.state_overflowed(33554432),
            "InngestErrStateOverflowed",
            "The function run exceeded the state size limit of 33554432 bytes.",
        ),
        (errors.signal_conflict(), "Error", "Signal conflict; signal wait already exists for another run"),
        (
            errors.invalid_expression("Wait for event If expression failed to compile"),
            "InvalidExpression",
            "Wait for event If expression failed to compile",
        ),
    ],
)
def test_engine_errors(error: bytes, name: str, message: str) -> None:
    expected = {"error": f"{name}: {message}", "name": name, "message": message}
    assert json.loads(error) == expected
    assert json.loads(errors.wrapped_output(error)) == {"error": expected}


def test_compiler_text_is_the_stack() -> None:
    assert json.loads(errors.invalid_expression("m", "line 1"))["stack"] == "line 1"


@pytest.mark.parametrize(
    ("memo", "expected"),
    [
        (memos.data_memo(b'{"a": 1}'), b'{"data":{"a": 1}}'),
        (memos.data_memo(b""), b'{"data":null}'),
        (memos.error_memo(b'{"name":"E"}'), b'{"error":{"name":"E"}}'),
        (memos.input_memo(b"[1]"), b'{"input":[1]}'),
        (memos.NULL_MEMO, b"null"),
        (memos.signal_memo('s"1', b"[2]"), b'{"data":{"data":[2],"signal":"s\\"1"}}'),
        (memos.signal_memo("s", b""), b'{"data":{"data":null,"signal":"s"}}'),
        (
            memos.invoke_cancelled_memo(),
            b'{"error":{"message":"invoked function was cancelled","name":"InngestInvokeCancelledError"}}',
        ),
        (
            memos.gateway_memo("http://x/", 200, {"Content-Type": "a", "A": "b"}, "t"),
            b'{"data":{"body":"t","headers":{"A":"b","Content-Type":"a"},"status_code":200,"url":"http://x/"}}',
        ),
        (
            memos.gateway_error_memo("refused"),
            b'{"error":{"message":"Error making gateway request: refused","name":"GatewayError"}}',
        ),
    ],
)
def test_memos(memo: bytes, expected: bytes) -> None:
    assert memo == expected


def test_invoke_timeout_memo() -> None:
    name, text = b"InngestInvokeTimeoutError", b"Timed out waiting for invoked function to complete"
    assert memos.invoke_timeout_memo() == (
        b'{"error":{"error":"%b: %b","message":"%b","name":"%b"}}' % (name, text, text, name)
    )


@pytest.mark.parametrize(
    ("reason", "body", "members"),
    [
        ("unsuccessful status code: 400", b'{"a":1}', {"data": {"a": 1}, "stack": '{"a":1}'}),
        ("unsuccessful status code: 500", b"oops", {"data": "oops", "stack": "oops"}),
        ("refused", b"", {"error": "Error making AI request"}),
    ],
)
def test_ai_error_memo(reason: str, body: bytes, members: dict[str, object]) -> None:
    memo = memos.ai_error_memo(reason, body)
    message = f"Error making AI request: {reason}"
    assert json.loads(memo) == {"error": {"name": "AIGatewayError", "message": message, **members}}
    assert memo == canonicalise(memo)
