"""Triggers and their errors (spec 01 4.6, spec 02 4.9)."""

import pytest

from apps.engine.functions import Trigger
from tests.unit.registry.bodies import invalid_request_of, problems_of, spec_of

LONG = "x" * 256


@pytest.mark.parametrize(
    ("triggers", "problems"),
    [
        ([{"event": ""}], ["An event trigger must specify an event name"]),
        ([{}], ["A trigger must supply an event name or a cron schedule"]),
        ([{"event": None}], ["A trigger must supply an event name or a cron schedule"]),
        (
            [{"event": "a", "cron": "* * * * *"}],
            ["A trigger cannot have both an event and a cron trigger"],
        ),
        ([{"event": LONG}], ["event name is too long. maximum length is 255 characters"]),
        ([{"event": "é" * 128}], ["event name is too long. maximum length is 255 characters"]),
        ([{"cron": LONG}], ["cron is too long. maximum length is 255 characters"]),
        ([{"cron": "foo"}], ["'foo' isn't a valid cron schedule"]),
        ([{"cron": ""}], ["'' isn't a valid cron schedule"]),
        ([{"cron": "@daily"}], ["'@daily' isn't a valid cron schedule"]),
        ([{"cron": "* * * * * *"}], ["'* * * * * *' isn't a valid cron schedule"]),
        ([{"cron": "* * * * 7"}], ["'* * * * 7' isn't a valid cron schedule"]),
        ([{"cron": "TZ=Mars/Base * * * * *"}], ["'TZ=Mars/Base * * * * *' isn't a valid cron schedule"]),
        ([{"cron": "* * * * *", "jitter": "x"}], ["'x' isn't a valid jitter duration"]),
        (
            [{"cron": "* * * * *", "jitter": "-1s"}],
            ["cron jitter must be greater than or equal to zero"],
        ),
        ([{"cron": "* * * * *", "jitter": "999ms"}], ["cron jitter must be at least 1s"]),
        (
            [{"cron": "* * * * *", "jitter": "301s"}],
            ["cron jitter must be less than or equal to 5m0s"],
        ),
        ([{"event": "a"}, {"event": "a", "expression": "true"}], ["duplicate trigger event: a"]),
        (
            [{"cron": "* * * * *"}, {"cron": "* * * * *", "jitter": "1s"}],
            ["duplicate cron expression: * * * * *"],
        ),
        (
            [{"event": f"e{number}"} for number in range(11)],
            ["This function exceeds the max number of triggers: 10"],
        ),
    ],
)
def test_problems(triggers: list[object], problems: list[str]) -> None:
    assert problems_of(triggers=triggers) == problems


def test_expression_problem_names_the_event() -> None:
    [problem] = problems_of(triggers=[{"event": "a", "expression": "event.data =="}])

    assert problem.startswith("invalid trigger expression on 'a': Syntax error: ")


@pytest.mark.parametrize(
    ("triggers", "detail"),
    [
        ("a", "functions[0].triggers must be an array"),
        (["a"], "functions[0].triggers[0] must be an object"),
        ([{"event": 1}], "functions[0].triggers[0].event must be a string"),
        ([{"cron": "* * * * *", "jitter": 5}], "functions[0].triggers[0].jitter must be a string"),
    ],
)
def test_wrong_types(triggers: object, detail: str) -> None:
    assert invalid_request_of(triggers=triggers) == detail


@pytest.mark.parametrize(
    ("triggers", "expected"),
    [
        ([], ()),
        (None, ()),
        ([{"event": "app/*"}, {"event": "app/user.*"}], (Trigger("app/*"), Trigger("app/user.*"))),
        ([{"event": "x" * 255}], (Trigger("x" * 255),)),
        ([{"event": "", "cron": "* * * * *"}], (Trigger(cron="* * * * *"),)),
        ([{"cron": "* * * * *", "jitter": "5m"}], (Trigger(cron="* * * * *", jitter_ms=300_000),)),
        ([{"cron": "* * * * *", "jitter": "0s"}], (Trigger(cron="* * * * *"),)),
        (
            [{"EVENT": "a", "Expression": "event.data.x > 1"}],
            (Trigger(event="a", expression="event.data.x > 1"),),
        ),
        ([{"event": f"e{number}"} for number in range(10)], tuple(Trigger(f"e{n}") for n in range(10))),
    ],
)
def test_accepted(triggers: object, expected: tuple[Trigger, ...]) -> None:
    assert spec_of(triggers=triggers).triggers == expected
