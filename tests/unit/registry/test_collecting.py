"""Debounce, batches, priority and singleton with their combinations (spec 02 4.3 to 4.8)."""

import pytest

from apps.engine.functions import Batch, Debounce, Singleton
from tests.unit.registry.bodies import (
    accepted,
    function,
    invalid_request_of,
    problems_of,
    register_body,
    spec_of,
)

BATCH = {"maxSize": 2, "timeout": "1s"}


@pytest.mark.parametrize(
    ("value", "problems"),
    [
        ({}, ["The debounce period of '' is invalid: invalid duration: ''"]),
        ({"period": "x"}, ["The debounce period of 'x' is invalid: invalid duration: 'x'"]),
        ({"period": "999ms"}, ["The debounce period of '999ms' is less than the min of: 1s"]),
        ({"period": "169h"}, ["The debounce period of '169h' is greater than the max of: 168h0m0s"]),
        (
            {"period": "1s", "timeout": "soon"},
            ["The debounce timeout of 'soon' is invalid: invalid duration: 'soon'"],
        ),
    ],
)
def test_debounce_problems(value: object, problems: list[str]) -> None:
    assert problems_of(debounce=value) == problems


def test_debounce() -> None:
    assert spec_of(debounce={"period": "7d"}).debounce == Debounce(period_ms=604_800_000)
    assert spec_of(debounce={"period": "1s", "timeout": "1m", "key": "event.data.k"}).debounce == Debounce(
        period_ms=1_000, key="event.data.k", timeout_ms=60_000
    )


@pytest.mark.parametrize(
    ("value", "problems"),
    [
        ({"maxSize": 1, "timeout": "1s"}, ["batch size cannot be smaller than 2: 1"]),
        ({"timeout": "1s"}, ["batch size cannot be smaller than 2: 0"]),
        ({"maxSize": 1001, "timeout": "1s"}, ["batch size cannot be larger than 1000: 1001"]),
        ({"maxSize": 2, "timeout": "999ms"}, ["batch timeout should be more than 1s"]),
        ({"maxSize": 2, "timeout": "61s"}, ["batch timeout should be at most 1m"]),
        ({"maxSize": 2, "timeout": "x"}, ["invalid timeout string: x"]),
        ({"maxSize": 2}, ["invalid timeout string: "]),
    ],
)
def test_batch_problems(value: object, problems: list[str]) -> None:
    assert problems_of(batchEvents=value) == problems


def test_batch() -> None:
    full = {"maxSize": 1000, "timeout": "60s", "key": "event.data.k", "if": "event.data.ok"}

    assert spec_of(batchEvents=BATCH).batch == Batch(max_size=2, timeout_ms=1_000)
    assert spec_of(batchEvents=full).batch == Batch(1000, 60_000, "event.data.k", "event.data.ok")


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"debounce": {"period": "1s"}}, "Batching and debouncing are mutually exclusive"),
        ({"cancel": [{"event": "x"}]}, "Batching and cancellation are mutually exclusive"),
        ({"singleton": {"mode": "skip"}}, "Batching and singletons are mutually exclusive"),
        ({"priority": {"run": "1"}}, "A function cannot specify Priority.Run and Batch together"),
    ],
)
def test_what_batches_cannot_be_combined_with(settings: dict[str, object], problem: str) -> None:
    assert problems_of(batchEvents=BATCH, **settings) == [problem]


def test_empty_settings_combine_with_batches() -> None:
    spec = spec_of(batchEvents=BATCH, cancel=[], debounce=None, singleton=None, priority={}, concurrency=[])

    assert spec.batch == Batch(max_size=2, timeout_ms=1_000)


def test_batch_ignores_rate_limits_with_a_warning() -> None:
    rate_limit = {"limit": 1, "period": "1m"}
    config = function(batchEvents=BATCH, rateLimit=rate_limit, idempotency="event.data.id")
    registration = accepted(register_body(config))

    assert registration.functions[0].spec.rate_limit is None
    assert registration.warnings == [
        "'shop-f': rateLimit is ignored for batched functions",
        "'shop-f': idempotency is ignored for batched functions",
    ]


def test_settings_that_combine_freely() -> None:
    spec = spec_of(
        debounce={"period": "1s"},
        rateLimit={"limit": 1, "period": "1m"},
        throttle={"limit": 1, "period": "1m"},
        concurrency=1,
        priority={"run": "event.data.p"},
        singleton={"mode": "cancel"},
        cancel=[{"event": "x"}],
    )

    assert spec.singleton == Singleton(mode="cancel")
    assert spec.priority == "event.data.p"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ({}, Singleton(mode="skip")),
        ({"mode": None, "key": None}, Singleton(mode="skip")),
        ({"mode": "CANCEL", "key": "event.data.k"}, Singleton(mode="cancel", key="event.data.k")),
    ],
)
def test_singleton(value: object, expected: Singleton | None) -> None:
    assert spec_of(singleton=value).singleton == expected


def test_unknown_singleton_mode_refuses_the_request() -> None:
    assert invalid_request_of(singleton={"mode": "queue"}) == "queue does not belong to SingletonMode values"


@pytest.mark.parametrize(
    ("settings", "prefix"),
    [
        ({"priority": {"run": "=="}}, "Priority.Run expression is invalid: "),
        ({"singleton": {"key": "=="}}, "Singleton expression is invalid: "),
        ({"debounce": {"period": "1s", "key": "=="}}, "Debounce expression is invalid: "),
        ({"batchEvents": BATCH | {"key": "=="}}, "batch key expression is invalid: "),
        ({"batchEvents": BATCH | {"if": "=="}}, "batch if expression is invalid: "),
    ],
)
def test_expressions_are_compiled(settings: dict[str, object], prefix: str) -> None:
    [problem] = problems_of(**settings)

    assert problem.startswith(f"{prefix}Syntax error: ")
