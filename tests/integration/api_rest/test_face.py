"""What all REST endpoints share: credentials, headers, other origins, unknown paths (spec 03, 1 and 2)."""

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

HASH = "5f78c33274e43fa9de5659265c1d917e25c03722dcb0b8d27db8d5feaa813953"
RUN = "01M8488PZN38TBQW5R170FD360"

ENDPOINTS = [
    ("GET", "/v1/events"),
    ("GET", f"/v1/events/{RUN}"),
    ("GET", f"/v1/events/{RUN}/runs"),
    ("GET", f"/v1/runs/{RUN}"),
    ("DELETE", f"/v1/runs/{RUN}"),
    ("GET", f"/v1/runs/{RUN}/jobs"),
    ("DELETE", f"/v0/runs/{RUN}"),
    ("GET", "/v1/apps/a/functions"),
    ("POST", "/v1/signals"),
]


@pytest.mark.usefixtures("server_mode")
@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
@pytest.mark.parametrize("header", [None, "Bearer", "Bearer wrong", "Basic deadbeef", "deadbeef"])
def test_a_signing_key_is_required(rest: Client, method: str, path: str, header: str | None) -> None:
    headers = {"Authorization": header} if header else {}
    answer = rest.generic(method, path, headers=headers)
    assert answer.status_code == 401
    assert answer.content == b"Authentication failed\n"
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Inngest-Server-Kind"] == "cloud"


@pytest.mark.django_db
@pytest.mark.usefixtures("server_mode")
@pytest.mark.parametrize("key", ["deadbeef", "signkey-prod-deadbeef", HASH, f"signkey-test-{HASH}"])
@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_each_form_of_the_key_is_accepted(rest: Client, key: str, scheme: str) -> None:
    answer = rest.get("/v1/events", headers={"Authorization": f"{scheme} {key}"})
    assert answer.status_code == 200


@pytest.mark.django_db
def test_dev_mode_asks_for_nothing(rest: Client) -> None:
    answer = rest.get("/v1/events")
    assert answer.status_code == 200
    assert answer["X-Inngest-Server-Kind"] == "dev"
    assert answer["Vary"] == "Origin"
    assert "Access-Control-Allow-Origin" not in answer


@pytest.mark.django_db
def test_any_origin_may_read(rest: Client) -> None:
    answer = rest.get("/v1/events", headers={"Origin": "http://app.example"})
    assert answer["Access-Control-Allow-Origin"] == "http://app.example"
    assert answer["Access-Control-Expose-Headers"] == "Link, Mcp-Session-Id"
    assert "Access-Control-Allow-Credentials" not in answer


@pytest.mark.parametrize("path", ["/v1/events", "/v0/gql", "/", "/unknown"])
def test_preflights(rest: Client, path: str) -> None:
    headers = {
        "Origin": "http://app.example",
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "x-inngest-env, content-type",
    }
    answer = rest.options(path, headers=headers)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer["Access-Control-Allow-Origin"] == "http://app.example"
    assert answer["Access-Control-Allow-Methods"] == "PUT"
    assert answer["Access-Control-Allow-Headers"] == "X-Inngest-Env, Content-Type"
    assert answer["Access-Control-Max-Age"] == "3600"


@pytest.mark.parametrize(
    "path", ["/v1", "/v1/", "/v1/nope", "/v1/events/", "/v0/nope", "/e", "/e/x/y", "/fn/x"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_unknown_paths(rest: Client, path: str, method: str) -> None:
    answer = rest.generic(method, path)
    assert answer.status_code == 404
    assert answer.content == b"404 page not found\n"
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Inngest-Server-Kind"] == "dev"


@pytest.mark.parametrize("method", ["POST", "PUT", "OPTIONS"])
def test_a_wrong_method(rest: Client, method: str) -> None:
    answer = rest.generic(method, f"/v1/runs/{RUN}")
    assert (answer.status_code, answer.content) == (405, b"")
    assert {"GET", "DELETE"} <= set(answer["Allow"].split(", "))


@pytest.mark.django_db
@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*;q=0"])
def test_what_the_client_accepts_does_not_matter(rest: Client, accept: str) -> None:
    answer = rest.get("/v1/events?format=xml", headers={"Accept": accept})
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")


def test_an_unreachable_engine_is_said(rest: Client, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = rest.get(f"/v1/runs/{RUN}/jobs")
    assert answer.status_code == 503
    assert answer.json()["status"] == 503
