"""What is refused in every setting of flow control alike (spec 02, 2.6 and 4.9): expressions that do not
compile, of which other servers let some through, and negative durations."""

import pytest

from tests.unit.registry.bodies import invalid_request_of, problems_of

BATCH = {"maxSize": 2, "timeout": "1s"}
EXPRESSION = "hash(event.data.user)"
UNKNOWN = "undeclared reference to 'hash' (at character 1)"


@pytest.mark.parametrize(
    ("settings", "prefix"),
    [
        ({"concurrency": {"limit": 1, "key": EXPRESSION}}, f"Invalid concurrency key '{EXPRESSION}'"),
        (
            {"concurrency": {"fn": [{"limit": 1, "key": EXPRESSION}]}},
            f"invalid function concurrency key '{EXPRESSION}'",
        ),
        (
            {"throttle": {"limit": 1, "period": "1s", "key": EXPRESSION}},
            f"Invalid throttle key '{EXPRESSION}'",
        ),
        ({"rateLimit": {"limit": 1, "period": "1s", "key": EXPRESSION}}, "rateLimit: key is invalid"),
        ({"idempotency": EXPRESSION}, "idempotency: key is invalid"),
        ({"debounce": {"period": "1s", "key": EXPRESSION}}, "Debounce expression is invalid"),
        ({"batchEvents": BATCH | {"key": EXPRESSION}}, "batch key expression is invalid"),
        ({"batchEvents": BATCH | {"if": EXPRESSION}}, "batch if expression is invalid"),
        ({"priority": {"run": EXPRESSION}}, "Priority.Run expression is invalid"),
        ({"singleton": {"mode": "skip", "key": EXPRESSION}}, "Singleton expression is invalid"),
        ({"cancel": [{"event": "a", "if": EXPRESSION}]}, "Cancellation expression is invalid"),
    ],
)
def test_unknown_functions(settings: dict[str, object], prefix: str) -> None:
    assert problems_of(**settings) == [f"{prefix}: {UNKNOWN}"]


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (
            {"rateLimit": {"limit": 1, "period": "-1h"}},
            "rateLimit: failed to parse time duration: invalid duration: '-1h'",
        ),
        (
            {"debounce": {"period": "-1h"}},
            "The debounce period of '-1h' is invalid: invalid duration: '-1h'",
        ),
        (
            {"debounce": {"period": "1s", "timeout": "-1h"}},
            "The debounce timeout of '-1h' is invalid: invalid duration: '-1h'",
        ),
        ({"batchEvents": BATCH | {"timeout": "-1h"}}, "invalid timeout string: -1h"),
        ({"timeouts": {"start": "-1h"}}, "timeouts.start is invalid: -1h"),
        ({"timeouts": {"finish": "-1h"}}, "timeouts.finish is invalid: -1h"),
        ({"cancel": [{"event": "a", "timeout": "-1h"}]}, "cancel timeout is invalid: -1h"),
    ],
)
def test_negative_durations(settings: dict[str, object], problem: str) -> None:
    assert problems_of(**settings) == [problem]


def test_negative_throttle_period_refuses_the_request() -> None:
    assert invalid_request_of(throttle={"limit": 1, "period": "-1h"}) == 'time: invalid duration "-1h"'


def test_every_problem_of_every_setting_is_told() -> None:
    problems = problems_of(
        concurrency=[{"limit": 1}, {"limit": 2}],
        rateLimit={"limit": 0, "period": "25h"},
        debounce={"period": "1ms"},
        batchEvents={"maxSize": 1, "timeout": "1ms"},
    )
    assert sorted(problems) == [
        "Batching and debouncing are mutually exclusive",
        "Only one function concurrency limit is allowed",
        "The debounce period of '1ms' is less than the min of: 1s",
        "batch size cannot be smaller than 2: 1",
        "batch timeout should be more than 1s",
        "rateLimit: limit must be greater than 0",
        "rateLimit: period must be less than 24h0m0s",
    ]
