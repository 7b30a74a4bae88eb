"""cancelOn rules and timeouts (spec 02 2.6, 7.6 and 7.8)."""

import pytest

from apps.engine.functions import CancelRule
from tests.unit.registry.bodies import invalid_request_of, problems_of, spec_of

POLICY = "Cancellation expression is invalid: validation failed: "


@pytest.mark.parametrize(
    ("rules", "problems"),
    [
        ([{}], ["A cancellation must specify an event name"]),
        ([{"event": "x" * 256}], ["event name is too long. maximum length is 255 characters"]),
        ([{"event": "x", "timeout": "soon"}], ["cancel timeout is invalid: soon"]),
        (
            [{"event": "x", "if": "event.data.id.startsWith('a')"}],
            [
                f"{POLICY}function calls are disallowed (uses 'startsWith')",
            ],
        ),
        (
            [{"event": "x", "if": "event.data.ids.exists(i, i == async.data.id)"}],
            [
                f"{POLICY}macros are disallowed (contains 'exists')",
            ],
        ),
        (
            [{"event": f"e{number}"} for number in range(6)],
            ["This function exceeds the max number of cancellation events: 5"],
        ),
    ],
)
def test_problems(rules: list[object], problems: list[str]) -> None:
    assert problems_of(cancel=rules) == problems


def test_syntax_error() -> None:
    [problem] = problems_of(cancel=[{"event": "x", "if": "event.data.id =="}])

    assert problem.startswith("Cancellation expression is invalid: Syntax error: ")


def test_accepted() -> None:
    expression = "event.data.id == async.data.id"
    rules = [
        {"event": "a", "if": expression, "timeout": "1h"},
        {"event": "b", "if": None, "timeout": "2030-01-01T00:00:00Z"},
    ]
    assert spec_of(cancel=rules).cancel == (
        CancelRule(event="a", expression=expression, timeout="1h"),
        CancelRule(event="b", timeout="2030-01-01T00:00:00Z"),
    )


def test_timeouts() -> None:
    spec = spec_of(timeouts={"start": "1.5s", "finish": "2d"})

    assert (spec.start_timeout_ms, spec.finish_timeout_ms) == (1_500, 172_800_000)
    assert spec_of(timeouts={"start": None}).start_timeout_ms == 0
    assert problems_of(timeouts={"start": "x", "finish": "-1s"}) == [
        "timeouts.start is invalid: x",
        "timeouts.finish is invalid: -1s",
    ]
    assert invalid_request_of(timeouts={"start": 5}) == "functions[0].timeouts.start must be a string"
