"""No body raises an unhandled error, and what is accepted can be stored and published."""

from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.engine.functions import decode_spec, encode_spec
from apps.registry import app_urls, ping_outcome
from apps.registry.validation import Registration, RegistrationError, validate_registration
from tests.unit.registry.bodies import function, register_body

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.sampled_from(["1s", "5m", "event.data.x", "a == ", "* * * * *", "skip", "env", "http://x/"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = [
    *("id", "name", "triggers", "steps", "retries", "concurrency", "batchEvents", "cancel", "idempotency"),
    *("rateLimit", "throttle", "debounce", "priority", "timeouts", "singleton", "Singleton"),
]
INNER = [
    *("event", "cron", "expression", "jitter", "limit", "period", "key", "burst", "scope", "fn", "step"),
    *("mode", "run", "start", "finish", "if", "timeout", "maxSize"),
]
OBJECT = st.dictionaries(st.sampled_from(INNER), JSON, max_size=4)
SETTING = JSON | OBJECT | st.lists(OBJECT, max_size=3)


def check(body: bytes) -> None:
    result = validate_registration(body)
    if isinstance(result, RegistrationError):
        assert result.status == 400
        assert orjson.loads(orjson.dumps(result.body()))["error"]
        return
    assert isinstance(result, Registration)
    for item in result.functions:
        assert decode_spec(encode_spec(item.spec)) == item.spec
        assert isinstance(orjson.loads(item.config), dict)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes(body: bytes) -> None:
    check(body)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(["appName", "url", "sdk", "functions", "headers", "framework"]), JSON))
def test_any_head(fields: dict[str, Any]) -> None:
    check(register_body(**{"appName": "shop", **fields}))


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), SETTING, max_size=5))
def test_any_settings(fields: dict[str, Any]) -> None:
    check(register_body(function() | fields))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40) | st.from_regex(r"(https?|ws)://[\w.\[\]:@-]{0,20}(:\d{0,6})?[/?#a-z=&%]{0,20}"))
def test_any_url(url: str) -> None:
    normalised = app_urls.normalise_or_keep(url)

    assert app_urls.normalise_or_keep(normalised) == normalised


@settings(max_examples=100, deadline=None)
@given(st.integers(100, 599), st.binary(max_size=60))
def test_any_answer(status: int, body: bytes) -> None:
    outcome = ping_outcome.of_answer(status, {"x-inngest-sdk": "x"}, body)

    assert outcome.is_healthy is (200 <= status < 300)
    assert "\0" not in outcome.code
