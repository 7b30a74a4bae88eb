"""POST /v1/signals (spec 03, 4.6)."""

import pytest
import redis
from django.test import Client

from apps.engine.keys import Keys
from tests.integration.api_rest.live import start_run
from tests.integration.history.life import ENV


def send(rest: Client, body: str, content_type: str = "application/json") -> tuple[int, dict[str, object]]:
    answer = rest.generic("POST", "/v1/signals", body, content_type=content_type)
    return answer.status_code, answer.json()


def test_nobody_waits(rest: Client) -> None:
    expected = {"error": "No signal found", "data": None, "status": 404}
    assert send(rest, '{"signal":"s","data":1}') == (404, expected)
    assert send(rest, '{"signal":"s"}', content_type="text/weird") == (404, expected)


@pytest.mark.parametrize("body", ["", "{", "[]", '{"signal":1}'])
def test_bad_json(rest: Client, body: str) -> None:
    assert send(rest, body) == (400, {"error": "Invalid signal data", "data": None, "status": 400})


@pytest.mark.parametrize("body", ["{}", '{"signal":""}'])
def test_an_empty_signal(rest: Client, body: str) -> None:
    assert send(rest, body) == (400, {"error": "Failed to receive signal", "data": None, "status": 400})


def test_the_waiting_run_is_named(rest: Client, redis_client: "redis.Redis") -> None:
    run_id = start_run()
    prefix = Keys("0").prefix
    pause: list[str | int] = [
        "k",
        "signal",
        "r",
        run_id,
        "s",
        "step",
        "e",
        ENV,
        "sg",
        "s",
        "ex",
        4_000_000_000_000,
    ]
    redis_client.hset(f"{prefix}:p:{run_id}.step", items=pause)
    redis_client.set(f"{prefix}:sig:{ENV}:s", f"{run_id}.step")

    status, body = send(rest, '{"signal":"s","data":{"x": 1}}')
    assert (status, body["data"]) == (200, {"run_id": run_id})
    assert redis_client.hget(f"{prefix}:memo:{run_id}", "step") == b'{"data":{"data":{"x": 1},"signal":"s"}}'
