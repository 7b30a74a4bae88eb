"""`GET /health` (spec 03 7.1)."""

from collections.abc import Iterator

import pytest
import redis
from django.test import Client
from pytest_django import Settings

from apps.devserver import views
from apps.devserver.embedded import free_port
from apps.engine.keys import Keys


@pytest.fixture
def client(redis_url: str, settings: Settings) -> Iterator[Client]:
    settings.REDIS_URL = redis_url
    yield Client()
    views._client(redis_url).close()


def answer(client: Client, path: str) -> tuple[int, dict[str, object]]:
    response = client.get(path)
    return response.status_code, response.json()


def test_web_alone(client: Client) -> None:
    assert answer(client, "/health") == (200, {"status": 200, "message": "OK"})
    assert answer(client, "/health?roles=web") == (200, {"status": 200, "message": "OK"})


def test_missing_roles_are_named(client: Client, redis_client: "redis.Redis") -> None:
    path = "/health?roles=web,worker,scheduler"
    assert answer(client, path) == (503, {"status": 503, "message": "Missing roles: worker, scheduler"})
    redis_client.set(Keys("0").alive("worker"), "1", ex=15)
    assert answer(client, path) == (503, {"status": 503, "message": "Missing roles: scheduler"})
    redis_client.set(Keys("0").alive("scheduler"), "1", ex=15)
    assert answer(client, path) == (200, {"status": 200, "message": "OK"})


def test_unknown_roles(client: Client) -> None:
    assert answer(client, "/health?roles=wroker") == (
        400,
        {"status": 400, "message": "Unknown roles: wroker"},
    )


def test_redis_away(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    assert answer(client, "/health") == (200, {"status": 200, "message": "OK"})
    expected = {"status": 503, "message": "Redis does not answer"}
    assert answer(client, "/health?roles=worker") == (503, expected)


def test_only_reads(client: Client) -> None:
    response = client.post("/health")
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")
