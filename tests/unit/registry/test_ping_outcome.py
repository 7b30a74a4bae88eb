"""Outcomes of a PUT (spec 01 4.2)."""

import orjson
import pytest

from apps.registry import ping_outcome
from apps.registry.ping_outcome import PingOutcome

SDK = {"x-inngest-sdk": "inngest-js:v4.24.0"}


@pytest.mark.parametrize("status", [200, 201, 204])
def test_success(status: int) -> None:
    assert ping_outcome.of_answer(status, SDK, b"") == PingOutcome()


def test_success_of_something_else() -> None:
    assert ping_outcome.of_answer(200, {}, b"<html>") == PingOutcome(
        "not_sdk", "The URL is not an Inngest app"
    )


@pytest.mark.parametrize(
    ("status", "body", "code", "detail"),
    [
        (401, b'{"message":"Unauthorized"}', "unauthorized", "Unauthorized"),
        (403, b"", "forbidden", "The app answered with status 403"),
        (404, b"<html>not here</html>", "url_not_found", "<html>not here</html>"),
        (500, b'{"error":"boom"}', "internal_server_error", "boom"),
    ],
)
def test_status_decides(status: int, body: bytes, code: str, detail: str) -> None:
    assert ping_outcome.of_answer(status, SDK, body) == PingOutcome(code, detail)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Your signing key is invalid.", "invalid_signing_key"),
        ("No functions registered", "no_functions"),
        ("At least one function is invalid: x", "invalid_function"),
        ("Expected dev", "Expected dev"),
    ],
)
@pytest.mark.parametrize("field", ["message", "error"])
def test_text_decides_for_other_client_errors(field: str, text: str, code: str) -> None:
    body = orjson.dumps({"code": "x", field: text})

    assert ping_outcome.of_answer(400, SDK, body) == PingOutcome(code, text)


@pytest.mark.parametrize(
    ("status", "body", "text"),
    [
        (502, b"", "The app answered with status 502"),
        (400, b"[1]", "The app answered with status 400"),
        (400, b"a\0b", "a\N{REPLACEMENT CHARACTER}b"),
        (418, b"x" * 5000, "x" * 500),
    ],
)
def test_texts_of_answers_without_a_message(status: int, body: bytes, text: str) -> None:
    assert ping_outcome.of_answer(status, SDK, body) == PingOutcome(text, text)
