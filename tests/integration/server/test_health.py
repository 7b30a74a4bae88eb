"""`/health/live` and `/health/ready`."""

from collections.abc import Callable

import pytest
import redis
from django.db import DatabaseError
from django.test import Client
from pytest_django.fixtures import Settings

from apps.devserver.embedded import free_port
from apps.engine.keys import Keys
from apps.server import health

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(redis_url: str, settings: Settings) -> Client:
    settings.REDIS_URL = redis_url
    return Client()


def ready(client: Client, query: str = "") -> tuple[int, dict[str, object], dict[str, object]]:
    answer = client.get(f"/health/ready{query}")
    body = answer.json()
    assert body["status"] == answer.status_code
    return answer.status_code, body["checks"], body["roles"]


def test_live_asks_nothing(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    answer = client.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": 200, "message": "OK"})
    assert client.post("/health/live").status_code == 405


def test_web_is_ready_without_the_other_roles_unless_they_are_asked_for(
    client: Client, redis_client: "redis.Redis"
) -> None:
    well = {"database": True, "redis": True}
    assert ready(client) == (200, well, {"worker": False, "scheduler": False})
    assert ready(client, "?roles=worker,scheduler")[0] == 503
    redis_client.set(Keys("0").alive("worker"), "1", ex=15)
    assert ready(client, "?roles=worker") == (200, well, {"worker": True, "scheduler": False})
    assert ready(client, "?roles=web,worker,scheduler")[0] == 503


def test_an_unknown_role(client: Client) -> None:
    answer = client.get("/health/ready?roles=wroker")
    assert (answer.status_code, answer.json()) == (400, {"status": 400, "message": "Unknown roles: wroker"})


def test_redis_away(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    absent = {"worker": False, "scheduler": False}
    assert ready(client) == (503, {"database": True, "redis": False}, absent)


def test_database_away(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise DatabaseError("no connection")

    ask: Callable[[], None] = fails
    monkeypatch.setattr(health, "_ask_database", ask)
    status, checks, _ = ready(client)
    assert (status, checks) == (503, {"database": False, "redis": True})
