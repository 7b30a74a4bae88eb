"""Everything around the events: methods, paths, cross-origin rules."""

import httpx
import pytest

ORIGIN = "https://app.example"


@pytest.mark.parametrize("path", ["/e/key", "/invoke/app-fn"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods(dev: httpx.AsyncClient, path: str, method: str) -> None:
    answer = await dev.request(method, path)
    assert answer.status_code == 405
    assert answer.content == b""
    assert answer.headers["allow"] == "POST"
    assert answer.headers["x-inngest-server-kind"] == "dev"


@pytest.mark.parametrize("path", ["/e/key/more", "/e/key/", "/e//", "/invoke/app/fn"])
async def test_unknown_paths(dev: httpx.AsyncClient, path: str) -> None:
    answer = await dev.post(path, json={"name": "a"})
    assert answer.status_code == 404
    assert answer.text == "404 page not found"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-inngest-server-kind"] == "dev"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_path_without_a_key(dev: httpx.AsyncClient, method: str) -> None:
    answer = await dev.request(method, "/e/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/e")


@pytest.mark.parametrize("path", ["/e/key", "/invoke/app-fn"])
async def test_a_preflight(dev: httpx.AsyncClient, path: str) -> None:
    answer = await dev.options(
        path,
        headers={
            "origin": ORIGIN,
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type,x-inngest-env, X-INNGEST-sdk",
        },
    )
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["access-control-allow-methods"] == "POST"
    assert answer.headers["access-control-allow-headers"] == "Content-Type, X-Inngest-Env, X-Inngest-Sdk"
    assert answer.headers["access-control-max-age"] == "3600"
    assert "access-control-allow-credentials" not in answer.headers
    assert answer.headers["vary"].startswith("Origin")


async def test_a_preflight_for_a_method_that_is_not_allowed(dev: httpx.AsyncClient) -> None:
    headers = {"origin": ORIGIN, "access-control-request-method": "TRACE"}
    answer = await dev.options("/e/key", headers=headers)
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_answers_and_errors_are_readable_from_any_origin(
    dev: httpx.AsyncClient, server: httpx.AsyncClient
) -> None:
    answers = [
        await dev.post("/e/key", json={"name": "a"}, headers={"origin": ORIGIN}),
        await dev.post("/e/key", json={"name": ""}, headers={"origin": ORIGIN}),
        await dev.get("/e/key", headers={"origin": ORIGIN}),
        await server.post("/e/none", json={"name": "a"}, headers={"origin": ORIGIN}),
    ]
    assert [answer.status_code for answer in answers] == [200, 400, 405, 401]
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert answer.headers["access-control-expose-headers"] == "Link, Mcp-Session-Id"
        assert answer.headers["vary"] == "Origin"
