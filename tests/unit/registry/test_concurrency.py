"""Concurrency in all its shapes (spec 01 4.6, spec 02 3.2, 3.7 and 4.9)."""

import pytest

from apps.engine.functions import ConcurrencyLimit, RunConcurrencyLimit
from tests.unit.registry.bodies import invalid_request_of, problems_of, spec_of

KEYED = {"limit": 2, "key": "event.data.k", "scope": "env"}
KEYED_LIMIT = ConcurrencyLimit(2, "event.data.k", "env")


@pytest.mark.parametrize(
    ("value", "steps", "runs"),
    [
        (None, (), ()),
        ([], (), ()),
        (5, (ConcurrencyLimit(5),), ()),
        (5.0, (ConcurrencyLimit(5),), ()),
        (0, (), ()),
        ({"limit": 5}, (ConcurrencyLimit(5),), ()),
        ({"limit": 0, "key": "event.data.k"}, (), ()),
        ([{"limit": 5}, KEYED], (ConcurrencyLimit(5), KEYED_LIMIT), ()),
        ([3], (ConcurrencyLimit(3),), ()),
        ({"limit": 5, "scope": "Fn", "key": "'x'"}, (ConcurrencyLimit(5, "'x'"),), ()),
        ({"limit": 1, "key": "'x'", "scope": "ACCOUNT"}, (ConcurrencyLimit(1, "'x'", "account"),), ()),
        ({"fn": [{"limit": 3, "hash": ""}], "step": [KEYED]}, (KEYED_LIMIT,), (RunConcurrencyLimit(3),)),
        ({"fn": {"limit": 3, "key": "event.data.k"}}, (), (RunConcurrencyLimit(3, "event.data.k"),)),
        ({"Fn": 3, "Step": 2}, (ConcurrencyLimit(2),), (RunConcurrencyLimit(3),)),
        ({"fn": None, "step": None}, (), ()),
    ],
)
def test_shapes(
    value: object, steps: tuple[ConcurrencyLimit, ...], runs: tuple[RunConcurrencyLimit, ...]
) -> None:
    spec = spec_of(concurrency=value)

    assert (spec.concurrency, spec.run_concurrency) == (steps, runs)


@pytest.mark.parametrize(
    ("value", "problems"),
    [
        (
            [{"limit": 1, "key": "'a'"}] * 3,
            ["There are more concurrency limits specified than the allowed max of: 2"],
        ),
        ([{"limit": 1}, {"limit": 2}], ["Only one function concurrency limit is allowed"]),
        (
            {"limit": 1, "scope": "env"},
            ["A concurrency key must be specified for Env scoped limits"],
        ),
        (
            {"limit": 1, "scope": "account"},
            ["A concurrency key must be specified for Account scoped limits"],
        ),
        (-1, ["concurrency limit must be >= 0"]),
        ({"fn": [{"limit": 0}]}, ["function concurrency limit must be > 0"]),
        (
            {"fn": [{"limit": 1}, {"limit": 2}]},
            ["There are more concurrency limits specified than the allowed max of: 1"],
        ),
        (
            {"fn": [{"limit": 1, "scope": "app"}]},
            ["app-scoped function concurrency cannot be set by users"],
        ),
        ({"fn": [{"limit": 1, "scope": "env"}]}, ["invalid function concurrency scope: env"]),
    ],
)
def test_problems(value: object, problems: list[str]) -> None:
    assert problems_of(concurrency=value) == problems


def test_keys_are_compiled() -> None:
    [step] = problems_of(concurrency={"limit": 1, "key": "event.data.("})
    [run] = problems_of(concurrency={"fn": [{"limit": 1, "key": "event.data.("}]})

    assert step.startswith("Invalid concurrency key 'event.data.(': Syntax error: ")
    assert run.startswith("invalid function concurrency key 'event.data.(': Syntax error: ")


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        ("5", "functions[0].concurrency must be an integer"),
        ([True], "functions[0].concurrency[0] must be an integer"),
        ({"limit": "5"}, "functions[0].concurrency.limit must be an integer"),
        ({"limit": 1, "scope": "bogus"}, "bogus does not belong to ConcurrencyScope values"),
        ({"fn": ["x"]}, "functions[0].concurrency.fn[0] must be an integer"),
    ],
)
def test_wrong_types(value: object, detail: str) -> None:
    assert invalid_request_of(concurrency=value) == detail
