"""The PUT and the probe over real sockets (spec 01 2.2, 3.1, 4.2 and 4.8)."""

import threading
import time

import pytest

from apps.engine.calls.addresses import AddressPolicy
from apps.engine.protocol import signing
from apps.registry import sync_client
from apps.registry.sync_client import Answer
from tests.conftest import free_port
from tests.integration.registry.local_app import Received, Reply, local_app

KEY = "signkey-test-0123456789abcdef0123456789abcdef"
OPEN = AddressPolicy(allow_private=True)
SDK = {"X-Inngest-SDK": "inngest-js:v4.24.0"}


async def put(url: str, key: str = "") -> Answer:
    return await sync_client.put(url, server_kind="dev", signing_key=key, policy=OPEN)


async def test_unsigned_put() -> None:
    with local_app() as app:
        app.reply = lambda _: Reply(200, SDK, b'{"modified":true}')
        answer = await put(app.url())

    assert (answer.status, answer.body, answer.is_from_sdk) == (200, b'{"modified":true}', True)
    [received] = app.received
    assert (received.method, received.path) == ("PUT", "/api/inngest")
    assert received.body == b'{"url":"%s"}' % app.url().encode()
    assert received.headers["content-type"] == "application/json"
    assert received.headers["x-inngest-server-kind"] == "dev"
    assert "x-inngest-signature" not in received.headers
    assert "x-inngest-sync-kind" not in received.headers


async def test_signed_put_asks_for_an_in_band_answer() -> None:
    with local_app() as app:
        await put(app.url("/api/inngest?a=é"), KEY)

    [received] = app.received
    assert received.headers["x-inngest-sync-kind"] == "in_band"
    assert signing.verify(received.headers["x-inngest-signature"], received.body, [KEY], int(time.time()))
    assert received.body == '{"url":"http://127.0.0.1:%d/api/inngest?a=é"}'.encode() % app.port


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_keep_the_method_and_the_body(status: int) -> None:
    def reply(received: Received) -> Reply:
        if received.path == "/old":
            return Reply(status, {"Location": "/new"})
        return Reply(200, SDK)

    with local_app() as app:
        app.reply = reply
        answer = await put(app.url("/old"))

    assert answer.status == 200
    assert [(item.method, item.path, item.body) for item in app.received] == [
        ("PUT", "/old", app.received[0].body),
        ("PUT", "/new", app.received[0].body),
    ]


async def test_endless_redirect() -> None:
    with local_app() as app:
        app.reply = lambda _: Reply(307, {"Location": "/again"})
        with pytest.raises(sync_client.Unreachable, match="more than 10 redirects"):
            await put(app.url())
    assert len(app.received) == 11


async def test_refused_connection() -> None:
    with pytest.raises(sync_client.Unreachable):
        await put(f"http://127.0.0.1:{free_port()}/")


@pytest.mark.parametrize("url", ["http://[::1", "http://localhost:99999/", "http://h\n/"])
async def test_malformed_url(url: str) -> None:
    with pytest.raises(sync_client.Unreachable):
        await put(url)


async def test_app_on_ipv6_is_reached_by_its_ipv4_name() -> None:
    with local_app("::1") as app:
        app.reply = lambda _: Reply(200, SDK)

        assert (await put(app.url(host="127.0.0.1"))).status == 200
        assert (await put(app.url(host="localhost"))).status == 200


async def test_app_on_ipv4_is_reached_by_localhost() -> None:
    with local_app() as app:
        assert (await put(app.url(host="localhost"))).status == 200


async def test_app_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync_client, "PING_SECONDS", 0.2)
    given_up = threading.Event()

    def hang(_: Received) -> Reply:
        given_up.wait(10)
        return Reply()

    with local_app() as app:
        app.reply = hang
        with pytest.raises(sync_client.Unreachable, match=r"timed out|no answer"):
            await put(app.url())
        given_up.set()


async def test_private_addresses_are_refused_where_they_are_not_allowed() -> None:
    closed = AddressPolicy(allow_private=False)
    with local_app() as app:
        for host in ("127.0.0.1", "localhost"):
            with pytest.raises(sync_client.Unreachable):
                await sync_client.put(app.url(host=host), server_kind="dev", signing_key="", policy=closed)
    assert app.received == []


@pytest.mark.parametrize(("headers", "is_app"), [(SDK, True), ({}, False)])
async def test_probe(headers: dict[str, str], is_app: bool) -> None:
    with local_app() as app:
        app.reply = lambda _: Reply(200, headers)
        answer = await sync_client.probe(app.url(), server_kind="dev", policy=OPEN)

    assert answer.is_from_sdk is is_app
    assert [(item.method, item.body) for item in app.received] == [("GET", b"")]
