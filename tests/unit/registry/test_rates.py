"""Throttle, rate limit and idempotency (spec 02 4.1 and 4.2)."""

import pytest

from apps.engine.functions import RateLimit, Throttle
from tests.unit.registry.bodies import invalid_request_of, problems_of, spec_of

DAY_MS = 86_400_000


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ({"period": "1s"}, Throttle(limit=1, period_ms=1_000)),
        ({"limit": 0, "period": "7d"}, Throttle(limit=1, period_ms=7 * DAY_MS)),
        (
            {"limit": 2, "period": "1h30m", "burst": 3, "key": "event.data.k"},
            Throttle(limit=2, period_ms=5_400_000, burst=3, key="event.data.k"),
        ),
        ({"limit": 2, "period": "1m", "burst": -1}, Throttle(limit=2, period_ms=60_000, burst=0)),
    ],
)
def test_throttle(value: object, expected: Throttle | None) -> None:
    assert spec_of(throttle=value).throttle == expected


@pytest.mark.parametrize(
    ("period", "problem"),
    [
        ("999ms", "The throttle period of '999ms' is less than the min of: 1s"),
        ("8d", "The throttle period of '8d' is greater than the max of: 168h0m0s"),
    ],
)
def test_throttle_period_out_of_range(period: str, problem: str) -> None:
    assert problems_of(throttle={"limit": 1, "period": period}) == [problem]


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        ({"limit": 1, "period": "bogus"}, 'time: invalid duration "bogus"'),
        ({"limit": 1}, 'time: invalid duration ""'),
        (5, "functions[0].throttle must be an object"),
        ({"limit": "1", "period": "1s"}, "functions[0].throttle.limit must be an integer"),
    ],
)
def test_throttle_that_cannot_be_decoded(value: object, detail: str) -> None:
    assert invalid_request_of(throttle=value) == detail


def test_throttle_key_is_compiled() -> None:
    [problem] = problems_of(throttle={"limit": 1, "period": "1s", "key": "=="})

    assert problem.startswith("Invalid throttle key '==': Syntax error: ")


@pytest.mark.parametrize(
    ("value", "problems"),
    [
        ({"limit": 0, "period": "1h"}, ["rateLimit: limit must be greater than 0"]),
        ({"period": "1h"}, ["rateLimit: limit must be greater than 0"]),
        ({"limit": 1}, ["rateLimit: period must be specified"]),
        ({"limit": 1, "period": "0s"}, ["rateLimit: period must be specified"]),
        ({"limit": 1, "period": "24h1ms"}, ["rateLimit: period must be less than 24h0m0s"]),
        (
            {"limit": 1, "period": "x"},
            ["rateLimit: failed to parse time duration: invalid duration: 'x'"],
        ),
    ],
)
def test_rate_limit_problems(value: object, problems: list[str]) -> None:
    assert problems_of(rateLimit=value) == problems


def test_rate_limit_and_idempotency_keys_are_compiled() -> None:
    [rate_limit] = problems_of(rateLimit={"limit": 1, "period": "1h", "key": "=="})
    [idempotency] = problems_of(idempotency="==")

    assert rate_limit.startswith("rateLimit: key is invalid: Syntax error: ")
    assert idempotency.startswith("idempotency: key is invalid: Syntax error: ")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, None),
        ({"rateLimit": {"limit": 9, "period": "24h"}}, RateLimit(limit=9, period_ms=DAY_MS)),
        ({"idempotency": "event.data.id"}, RateLimit(limit=1, period_ms=DAY_MS, key="event.data.id")),
        (
            {"idempotency": "event.data.id", "rateLimit": {"limit": 9, "period": "1m", "key": "'x'"}},
            RateLimit(limit=1, period_ms=DAY_MS, key="event.data.id"),
        ),
    ],
)
def test_idempotency_is_a_rate_limit_that_wins(
    settings: dict[str, object], expected: RateLimit | None
) -> None:
    assert spec_of(**settings).rate_limit == expected


def test_overridden_rate_limit_is_still_checked() -> None:
    problems = problems_of(idempotency="event.data.id", rateLimit={"limit": 0, "period": "1m"})

    assert problems == ["rateLimit: limit must be greater than 0"]
