"""Waits and cancellations: `event` is the run's event, `async` the one that arrives (spec 02, 2.7)."""

import pytest

from apps.engine.expressions import cancel_state, compile_expression, matches


@pytest.mark.parametrize(
    ("source", "run_data", "async_data", "expected"),
    [
        ("async.data.zz == event.data.zz", {}, {}, False),
        ("async.data.zz == event.data.zz", {"zz": None}, {}, True),
        ("async.data.zz == event.data.zz", {}, {"zz": None}, True),
        ("async.data.zz == event.data.zz", {"zz": None}, {"zz": None}, True),
        ("async.data.zz == event.data.zz", {"zz": 1}, {"zz": 1.0}, True),
        ("event.data.userId == async.data.userId", {"userId": "u1"}, {"userId": "u1"}, True),
        ("event.data.userId == async.data.userId", {"userId": "u1"}, {"userId": "u2"}, False),
        ("event.data.id in async.data.ids", {"id": 3}, {"ids": [1, 3]}, True),
        ("async.data.s.startsWith(event.data.s)", {"s": "a"}, {"s": "abc"}, True),
        ("uppercase(async.data.s) == event.data.s", {"s": "ABC"}, {"s": "abc"}, True),
        ("async.data.n > event.data.n - 1", {"n": 2}, {"n": 2}, True),
        ("async.data.n + 1 == 3", {}, {"n": 2}, True),
        ("async.data.n + 1.0 == 3.0", {}, {"n": 2}, True),
        ("async.data.ids.exists(x, x == event.data.id)", {"id": "b"}, {"ids": ["a", "b"]}, True),
    ],
)
def test_wait(
    source: str, run_data: dict[str, object], async_data: dict[str, object], expected: bool
) -> None:
    assert matches(compile_expression(source), {"data": run_data}, {"data": async_data}) is expected


def test_wait_on_the_time() -> None:
    assert matches(compile_expression("async.ts > event.ts"), {"ts": 1}, {"ts": 2}) is True


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("event.data.plan == 'pro'", "always"),
        ("event.data.plan == 'free'", "never"),
        ("event.data.plan", "never"),
        ("event.data.plan > 1", "never"),
        ("true", "always"),
        ("false", "never"),
        ("event.data.plan == async.data.plan", "depends"),
        ("event.data.plan == 'free' && async.data.x == 1", "depends"),
        ("date('2030-01-01') < now()", "depends"),
    ],
)
def test_cancel_state(source: str, expected: str) -> None:
    assert cancel_state(compile_expression(source), {"data": {"plan": "pro"}}) == expected
