"""What is kept of a refused request."""

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.engine.protocol.events import parse_events
from apps.refusals.reasons import reason_of
from apps.refusals.refusal import Face, Refusal, key_end, refusal

SECRET = "s3cr3t"


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (
            f"event name is reserved for internal use: inngest/{SECRET}",
            400,
            "event name is reserved for internal use",
        ),
        (
            "Event is over the max size: Max 9 bytes / Size 77 bytes",
            400,
            "Event is over the max size: Max 9 bytes",
        ),
        ("invalid event: Expected `str | null`, got `int` - at `$.name`", 400, None),
        ("invalid event: JSON is malformed: invalid character (byte 12)", 400, "invalid event"),
        ("invalid event data: unexpected character", 400, "invalid event data"),
        (f"invalid character '{SECRET}' after array element", 400, "invalid JSON"),
        (f"Content-Encoding {SECRET} is not supported", 415, "Unsupported Media Type"),
        ("Content-Encoding gzip is not supported", 415, None),
        (f"step {SECRET} output too large: more than 4 MiB", 413, "a step is too large"),
        (f"invalid request body: unknown opcode '{SECRET}'", 400, "invalid request body"),
        (f"Invalid run ID: {SECRET}", 400, "Invalid run ID"),
        (
            f"At least one function is invalid: '{SECRET}': A function name is required",
            400,
            "At least one function is invalid",
        ),
        (
            f"SDK version {SECRET}:v1 is not allowed by this server",
            400,
            "SDK version is not allowed by this server",
        ),
        ("Authentication failed\n", 401, "Authentication failed"),
        ("404 page not found", 404, "Not Found"),
        (SECRET, 400, "Bad Request"),
    ],
)
def test_reasons_are_in_our_own_words(error: str, status: int, reason: str | None) -> None:
    assert reason_of(error, status) == (reason or error)


@cache
def every_error_of_events() -> list[str]:
    bodies: list[bytes] = [
        b"x",
        b"\xff",
        b"[" * 100_000,
        b'{"name":""}',
        b'{"name":"inngest/x"}',
        b'{"name":"%b"}' % (b"n" * 257),
        b'{"name":"a\\u0000"}',
        b'{"name":1}',
        b'{"name":"a","id":"%b"}' % (b"i" * 513),
        b'{"name":"a","id":"\\u0000"}',
        b'{"name":"a","ts":1}',
        b'{"name":"a","ts":4102444800001}',
        b'{"name":"a","ts":"now"}',
        b'{"name":"a","data":7}',
        b'{"name":"a","user":{"n":1e999}}',
        b'{"name":"a","meta":{"sessions":7}}',
        b'{"name":"a","meta":{"sessions":{"k":true}}}',
        b'{"name":"a","meta":{"sessions":{"k":"%b"}}}' % (b"v" * 513),
        b'{"name":"a","meta":{"sessions":{"%b":"v"}}}' % (b"k" * 129),
        b'{"name":"a","meta":{"sessions":{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1}}}',
        b'{"name":"a","meta":{"z":"%b"}}' % (b"m" * 33_000),
        b'{"name":"a","data":{"x":"%b"}}' % (b"y" * 100_000),
        b'{"name":',
        b"[{}",
        b'[{"name":"a"}',
        b'[{"name":"a"};',
        b'[{"name":"a"}]]',
        b"[%b]" % b",".join([b'{"name":"a"}'] * 5001),
    ]
    parsed = [parse_events(body, received_ms=1, max_bytes=90_000, seed=None).error for body in bodies]
    return [error for error in parsed if error is not None]


def test_every_error_of_an_event_has_a_reason_that_says_more_than_the_status() -> None:
    errors = every_error_of_events()
    assert len(errors) == 28
    assert [error for error in errors if reason_of(error, 400) == "Bad Request"] == []


@given(st.text(max_size=40))
def test_a_reason_never_quotes_what_follows_its_words(quoted: str) -> None:
    known = {reason_of(error, 400) for error in every_error_of_events()}
    assert reason_of(f"event name is reserved for internal use: {quoted}", 400) in known
    assert reason_of(f"\0{quoted}", 400) == "Bad Request"


def test_other_methods_and_long_paths_are_cut() -> None:
    made = refusal(Face.INVOKE, method=SECRET, path="/invoke/" + "x" * 500, status=400, error="", env_id="e")
    assert made == Refusal("e", "invoke", "OTHER", "/invoke/" + "x" * 192, 400, "Bad Request")


@pytest.mark.parametrize(
    ("key", "end"),
    [
        ("", ""),
        ("short-key", ""),
        ("elevenchars", ""),
        ("twelve-chars", "hars"),
        ("x" * 5000 + "Ab-_", "Ab-_"),
        ("ends in <b>!", ""),
        ("in words: ключ", ""),
    ],
)
def test_of_a_key_at_most_four_characters_are_kept(key: str, end: str) -> None:
    assert key_end(key) == end
