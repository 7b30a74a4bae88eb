"""The stored form of configurations (spec 03 4.8 and the recorded example of its chapter 14)."""

import json
from uuid import UUID

from apps.registry.models import Function
from apps.registry.stored_config import stored_config
from tests.unit.registry.bodies import function, sdk_body, step_url

ID = UUID("ab348d8b-db26-54f5-8866-56fbeed7434c")


def stored(config: object, url: str = step_url("shop-f")) -> dict[str, object]:
    row = Function(id=ID, slug="shop-f", name="F", url=url, version=3, config=json.dumps(config))
    return stored_config(row)


def test_plain_function() -> None:
    assert stored(function()) == {
        "id": str(ID),
        "fv": 3,
        "name": "F",
        "slug": "shop-f",
        "triggers": [{"event": "a"}],
        "steps": [{"id": "step", "name": "step", "uri": step_url("shop-f")}],
    }


def test_nulls_and_unknown_settings_are_left_out() -> None:
    config = function(
        triggers=[{"event": "a", "expression": None}], cancel=[], debounce=None, Singleton=None, meta={"x": 1}
    )

    assert stored(config) == stored(function())


def test_settings_of_an_sdk() -> None:
    config = json.loads(sdk_body("typescript_register"))["functions"][0]
    shown = stored(config)

    assert shown["triggers"] == config["triggers"]
    assert shown["throttle"] == {"limit": 10, "period": "1h", "burst": 2, "key": "event.data.k"}
    assert shown["rateLimit"] == {"limit": 1, "period": "24h", "key": "event.data.id"}
    assert shown["concurrency"] == [
        {"limit": 3, "scope": "Fn"},
        {"limit": 5, "key": "event.data.k", "scope": "Account"},
    ]
    assert shown["steps"] == [
        {"id": "step", "name": "step", "uri": step_url("shop-f"), "retries": 7},
    ]
    assert set(shown) == {
        *("id", "fv", "name", "slug", "triggers", "priority", "rateLimit", "debounce", "throttle"),
        *("singleton", "cancel", "timeouts", "concurrency", "steps"),
    }


def test_limit_without_a_key_comes_first() -> None:
    limits = [{"limit": 5, "key": "event.data.k", "scope": "env"}, {"limit": 3}]

    assert stored(function(concurrency=limits))["concurrency"] == [
        {"limit": 3, "scope": "Fn"},
        {"limit": 5, "key": "event.data.k", "scope": "Env"},
    ]
    assert stored(function(concurrency=4))["concurrency"] == [{"limit": 4, "scope": "Fn"}]


def test_split_concurrency() -> None:
    config = json.loads(sdk_body("go_register"))["functions"][0]

    assert stored(config)["concurrency"] == {
        "fn": [{"limit": 3, "scope": "Fn"}],
        "step": [{"limit": 2, "key": "event.data.k", "scope": "Fn"}],
    }
