"""Which events share a lane."""

from typing import cast

import pytest

from apps.engine.event_stream import EventContext, EventEntry
from apps.engine.functions import FunctionSpec, Trigger
from apps.engine.runner.routing import FINISHED, Routes
from apps.engine.store.functions import FunctionCache
from tests.integration.engine.engine_world import cancel_on, function


class Functions:
    """The part of a FunctionCache that routes look at."""

    def __init__(self, *specs: FunctionSpec) -> None:
        self.version = 0
        self.publish(*specs)

    def publish(self, *specs: FunctionSpec) -> None:
        self.specs = specs
        self.version += 1

    def all(self) -> list[FunctionSpec]:
        return list(self.specs)

    def find(self, env_id: str, id_or_slug: str) -> FunctionSpec | None:
        return next((spec for spec in self.specs if id_or_slug in (spec.id, spec.slug)), None)


def routes(functions: Functions) -> Routes:
    made = Routes(cast("FunctionCache", functions))
    assert made.update(may_part=True) is True
    return made


def entry(name: str, env_id: str = "env", **context: str) -> EventEntry:
    return EventEntry("01", env_id, "acc", name, b"{}", EventContext(**context))  # type: ignore[arg-type]


def lane(made: Routes, name: str, env_id: str = "env", **context: str) -> str:
    account_id, environment, found = made.path(entry(name, env_id, **context))
    assert (account_id, environment) == ("acc", env_id)
    return found


def test_names_functions_and_answers_have_lanes_of_their_own() -> None:
    made = routes(Functions(function("fn", "app/go")))
    assert lane(made, "app/go") == "n:app/go"
    assert lane(made, "app/stop") == "n:app/stop"
    assert lane(made, "inngest/function.invoked", function_id="fn") == "f:fn"
    assert lane(made, "inngest/function.invoked", function_id="app-fn") == "f:fn"
    assert lane(made, "inngest/function.invoked", function_id="unknown") == "f:unknown"
    assert lane(made, FINISHED, correlation_id="run.step") == "r"
    assert lane(made, FINISHED) == f"n:{FINISHED}"


def test_what_cancels_shares_the_lane_of_what_starts() -> None:
    made = routes(Functions(function("fn", "app/go", "app/redo", cancel=cancel_on("app/stop"))))
    family = {lane(made, name) for name in ("app/go", "app/redo", "app/stop")}
    assert family == {lane(made, "inngest/function.invoked", function_id="fn")} == {"f:fn"}
    assert lane(made, "app/stop", "env2") == "n:app/stop"
    assert lane(made, "app/other") == "n:app/other"


def test_families_with_a_name_in_common_are_one() -> None:
    made = routes(
        Functions(
            function("one", "app/a", cancel=cancel_on("app/b")),
            function("two", "app/c", cancel=cancel_on("app/d")),
            function("three", "app/b", cancel=cancel_on("app/c")),
        )
    )
    assert len({lane(made, f"app/{letter}") for letter in "abcd"}) == 1


@pytest.mark.parametrize("name", ["app/x", "app/user.created", "app/stop"])
def test_a_wildcard_takes_the_names_that_it_matches(name: str) -> None:
    made = routes(
        Functions(
            function("fn", "app/*", cancel=cancel_on("ops/stop")),
            function("deep", "app/user.*", cancel=cancel_on("app/stop")),
        )
    )
    assert lane(made, name) == lane(made, "ops/stop")
    assert lane(made, "other/x") == "n:other/x"


def test_an_archived_function_and_a_cron_have_no_family() -> None:
    made = routes(
        Functions(
            function("gone", "app/go", cancel=cancel_on("app/stop"), archived=True),
            function("cron", triggers=(Trigger(cron="* * * * *"),), cancel=cancel_on("app/halt")),
        )
    )
    assert lane(made, "app/go") == "n:app/go"
    assert lane(made, "app/halt") == "f:cron"


def test_families_part_only_when_nothing_is_held() -> None:
    functions = Functions(function("fn", "app/go", cancel=cancel_on("app/stop")))
    made = routes(functions)
    assert made.update(may_part=True) is False
    functions.publish(function("fn", "app/go", version=2))
    assert made.update(may_part=False) is True
    assert lane(made, "app/go") == lane(made, "app/stop")
    functions.publish(function("fn", "app/go", version=3))
    assert made.update(may_part=True) is True
    assert (lane(made, "app/go"), lane(made, "app/stop")) == ("n:app/go", "n:app/stop")
