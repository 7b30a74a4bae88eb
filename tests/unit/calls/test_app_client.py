"""Calls to apps over real sockets (spec 01, 6.1 and 7.1; spec 04, chapter 5)."""

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator

import pytest

from apps.engine.calls import exchange, failures
from apps.engine.calls.app_client import AppClient
from apps.engine.calls.exchange import Limits
from apps.engine.calls.failures import TransportFailed
from tests.unit.calls.servers import (
    ANYWHERE,
    ListedResolver,
    Received,
    always,
    chunked,
    closing,
    free_port,
    http,
    serving,
)

QUICK = Limits(total_seconds=5, connect_seconds=2, idle_seconds=2, max_body_bytes=1000)


@pytest.fixture
async def client() -> AsyncIterator[AppClient]:
    async with AppClient(ANYWHERE, limits=QUICK) as client:
        yield client


async def failed(client: AppClient, url: str) -> TransportFailed:
    with pytest.raises(TransportFailed) as failure:
        await client.call(url, {}, b"{}")
    return failure.value


async def test_a_call(client: AppClient) -> None:
    answer = b"HTTP/1.1 206 X\r\nX-Inngest-SDK: py\r\nA: 1\r\na: 2\r\nContent-Length: 2\r\n\r\n[]"
    async with serving(always(answer)) as server:
        response = await client.call(
            server.url("/api?fnId=a%20b&stepId=step"), {"X-Run-ID": "r", "User-Agent": "Inngest"}, b'{"a":1}'
        )
    assert (response.status, response.body) == (206, b"[]")
    assert response.headers == {"x-inngest-sdk": "py", "a": "1,2", "content-length": "2"}
    (received,) = server.requests
    assert (received.method, received.target, received.body) == (
        "POST",
        "/api?fnId=a%20b&stepId=step",
        b'{"a":1}',
    )
    assert received.headers == {
        "host": f"127.0.0.1:{server.port}",
        "x-run-id": "r",
        "user-agent": "Inngest",
        "accept-encoding": received.headers["accept-encoding"],
        "content-length": "7",
    }


async def test_connections_are_kept_alive(client: AppClient) -> None:
    async with serving(always(http(b"1"))) as server:
        for _ in range(3):
            await client.call(server.url(), {}, b"{}")
        assert (server.connections, len(server.requests)) == (1, 3)


async def test_large_bodies_arrive_whole(client: AppClient) -> None:
    body = bytes(range(256)) * 12_000
    async with serving(always(http(b"1"))) as server:
        await client.call(server.url(), {}, body)
        assert server.requests[0].body == body


async def test_connections_per_host_are_capped() -> None:
    running = most = 0

    async def respond(received: Received, writer: asyncio.StreamWriter) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        writer.write(http(b"1"))

    async with serving(respond) as server, AppClient(ANYWHERE, connections_per_host=2) as client:
        await asyncio.gather(*[client.call(server.url(), {}, b"{}") for _ in range(6)])
        assert (most, server.connections) == (2, 2)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_localhost_is_either_loopback_address(client: AppClient, host: str) -> None:
    async with serving(always(http(b"1")), host) as server:
        response = await client.call(server.url(host="localhost"), {}, b"{}")
        assert response.body == b"1"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_keep_method_headers_and_body(client: AppClient, status: int) -> None:
    async with serving(always(http(b"1"))) as target:
        location = target.url("/moved/")
        async with serving(always(http(status=status, Location=location))) as server:
            response = await client.call(server.url("/api?fnId=f&stepId=s"), {"X-Run-ID": "r"}, b"{}")
    assert response.body == b"1"
    (received,) = target.requests
    assert (received.method, received.target, received.body) == ("POST", "/moved/?fnId=f&stepId=s", b"{}")
    assert received.headers["x-run-id"] == "r"


@pytest.mark.parametrize(("status", "query"), [(302, "fnId=f"), (308, "x=1")])
async def test_query_after_a_redirect(client: AppClient, status: int, query: str) -> None:
    redirect, final = always(http(status=status, Location="to?x=1#top")), always(http(b"1"))

    async def respond(received: Received, writer: asyncio.StreamWriter) -> None:
        await (redirect if "/from" in received.target else final)(received, writer)

    async with serving(respond) as server:
        await client.call(server.url("/a/from?fnId=f"), {}, b"{}")
        assert server.requests[1].target == f"/a/to?{query}"


async def test_secrets_stay_with_their_host(client: AppClient) -> None:
    headers = {"Authorization": "a", "Cookie": "c", "X-Api-Key": "k", "X-Inngest-Signature": "s"}
    async with serving(always(http(b"1"))) as target:
        location = target.url(host="localhost")
        async with serving(always(http(status=307, Location=location))) as server:
            await client.call(server.url(), headers, b"{}")
    assert set(headers) - {"X-Inngest-Signature"} <= {
        name for name in headers if name.lower() not in target.requests[0].headers
    }
    assert target.requests[0].headers["x-inngest-signature"] == "s"


@pytest.mark.parametrize(("redirects", "arrives"), [(60, True), (61, False)])
async def test_number_of_redirects(client: AppClient, redirects: int, arrives: bool) -> None:
    redirect, final = always(http(status=307, Location="/")), always(http(b"1"))

    async def respond(received: Received, writer: asyncio.StreamWriter) -> None:
        await (redirect if len(server.requests) <= redirects else final)(received, writer)

    async with serving(respond) as server:
        if arrives:
            assert (await client.call(server.url(), {}, b"{}")).body == b"1"
        else:
            assert (await failed(client, server.url())).kind == failures.TOO_MANY_REDIRECTS


@pytest.mark.parametrize("answer", [http(b"x", status=302), http(b"x", status=300, Location="/")])
async def test_answers_that_are_no_redirects(client: AppClient, answer: bytes) -> None:
    async with serving(always(answer)) as server:
        response = await client.call(server.url(), {}, b"{}")
        assert len(server.requests) == 1
        assert response.status in (302, 300)


async def test_redirect_to_nonsense(client: AppClient) -> None:
    async with serving(always(http(status=302, Location="http://h:99999999/"))) as server:
        assert (await failed(client, server.url())).kind == failures.INVALID_URL


@pytest.mark.parametrize("url", ["http://h:99999999/", "http://[::1/", "http://exa mple.com:x/"])
async def test_urls_that_are_none(client: AppClient, url: str) -> None:
    assert (await failed(client, url)).kind == failures.INVALID_URL


async def test_refused(client: AppClient) -> None:
    failure = await failed(client, f"http://127.0.0.1:{free_port()}/")
    assert (failure.kind, failure.message) == ("http_unreachable", "Unable to reach SDK URL")
    assert "127.0.0.1" in failure.detail


async def test_unknown_name() -> None:
    async with AppClient(ANYWHERE, resolver=ListedResolver([])) as client:
        failure = await failed(client, "http://nowhere.example/")
    assert (failure.kind, failure.message) == ("http_unreachable", "Unable to reach SDK URL")


async def test_no_tls_on_the_other_side(client: AppClient) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail ready\r\n")
        await reader.read()
        writer.close()

    listener = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        failure = await failed(client, f"https://127.0.0.1:{port}/")
    assert (failure.kind, failure.message) == ("http_unreachable", "Unable to reach SDK URL")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", failures.UNREACHABLE),
        (b"HTTP/1.1 200 OK\r\nContent-", failures.UNREACHABLE),
        (b"SSH-2.0-OpenSSH\r\n\r\n", failures.UNREACHABLE),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", failures.INCOMPLETE),
        (b"HTTP/1.1 201 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n \r\n", failures.INCOMPLETE),
        (http(b"not gzip", Content_Encoding="gzip"), failures.INCOMPLETE),
    ],
)
async def test_broken_answers(client: AppClient, answer: bytes, kind: str) -> None:
    async with serving(closing(answer)) as server:
        assert (await failed(client, server.url())).kind == kind
        assert server.connections == 1


async def test_reset(client: AppClient) -> None:
    async def respond(received: Received, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with serving(respond) as server:
        assert (await failed(client, server.url())).kind == failures.UNREACHABLE
        assert server.connections == 1


async def never(received: Received, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def test_no_answer_in_time() -> None:
    async with serving(never) as server, AppClient(ANYWHERE, limits=Limits(total_seconds=0.05)) as client:
        failure = await failed(client, server.url("/?key=secret"))
        assert (failure.kind, failure.message) == ("timeout", "The SDK did not answer in time")
        assert "secret" not in failure.detail


async def test_a_body_that_stalls() -> None:
    async def respond(received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 201 X\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n \r\n")
        await never(received, writer)

    async with serving(respond) as server, AppClient(ANYWHERE, limits=Limits(idle_seconds=0.05)) as client:
        failure = await failed(client, server.url())
        assert (failure.kind, failure.detail) == ("timeout", "no byte of the body for 0.05 s")


async def test_the_idle_limit_starts_anew_with_each_byte() -> None:
    async def respond(received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 201 X\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(6):
            await asyncio.sleep(0.05)
            writer.write(b"1\r\n \r\n")
        writer.write(b"2\r\n{}\r\n0\r\n\r\n")

    async with serving(respond) as server, AppClient(ANYWHERE, limits=Limits(idle_seconds=0.2)) as client:
        assert (await client.call(server.url(), {}, b"{}")).body == b"{}"


async def test_the_idle_limit_waits_for_the_first_byte() -> None:
    async def respond(received: Received, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)
        writer.write(http(b"1"))

    async with serving(respond) as server, AppClient(ANYWHERE, limits=Limits(idle_seconds=0.02)) as client:
        assert (await client.call(server.url(), {}, b"{}")).body == b"1"


@pytest.mark.parametrize(
    ("answer", "is_too_large"),
    [
        (http(b"x" * 1000), False),
        (http(b"x" * 1001), True),
        (chunked(b"x" * 600, b"x" * 400), False),
        (chunked(b"x" * 600, b"x" * 401), True),
        (http(gzip.compress(b"x" * 1001, mtime=0), Content_Encoding="gzip"), True),
        (http(gzip.compress(b"x" * 10_000_000, mtime=0), Content_Encoding="gzip"), True),
        (chunked(b" " * 1500, b" \n" + b"x" * 1000, status=201), False),
        (chunked(b" " * 1500, b"x" * 1001, status=201), True),
        (chunked(b" " * 1500, b"x", status=200), True),
        (chunked(b"x", b" " * 1500, status=201), True),
    ],
)
async def test_size_limit(client: AppClient, answer: bytes, is_too_large: bool) -> None:
    async with serving(always(answer)) as server:
        if is_too_large:
            failure = await failed(client, server.url())
            assert (failure.kind, failure.message) == (
                "output_too_large",
                "Your function's response body exceeds the maximum size limit",
            )
        else:
            assert (await client.call(server.url(), {}, b"{}")).body == b"x" * 1000


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("gzip", gzip.compress(b"[1]", mtime=0)), ("deflate", zlib.compress(b"[1]")), ("identity", b"[1]")],
)
async def test_encodings(client: AppClient, encoding: str, body: bytes) -> None:
    async with serving(always(http(body, Content_Encoding=encoding))) as server:
        assert (await client.call(server.url(), {}, b"{}")).body == b"[1]"


async def test_heartbeats_before_a_document(client: AppClient) -> None:
    document = json.dumps({"status": 200, "body": "1"}).encode()
    async with serving(always(chunked(b" ", b" ", document, status=201))) as server:
        response = await client.call(server.url(), {}, b"{}")
        assert (response.status, response.body) == (201, document)


class FirstThen:
    """Serves the first request of the first connection well, and every later one with `then`."""

    def __init__(self, then: bytes, fresh: bytes) -> None:
        self.then, self.fresh = then, fresh

    async def __call__(self, received: Received, writer: asyncio.StreamWriter) -> None:
        if received.connection > 1:
            writer.write(self.fresh)
        elif received.body == b"first":
            writer.write(http(b"1"))
        else:
            writer.write(self.then)
            writer.close()


async def test_a_connection_closed_while_idle_costs_nothing(client: AppClient) -> None:
    async with serving(FirstThen(b"", http(b"2"))) as server:
        await client.call(server.url(), {}, b"first")
        assert (await client.call(server.url(), {}, b"second")).body == b"2"
        assert [(request.connection, request.body) for request in server.requests] == [
            (1, b"first"),
            (1, b"second"),
            (2, b"second"),
        ]


async def test_a_reset_of_a_reused_connection_costs_nothing(client: AppClient) -> None:
    async def respond(received: Received, writer: asyncio.StreamWriter) -> None:
        if received.body == b"second" and received.connection == 1:
            writer.transport.abort()
        else:
            writer.write(http(received.body))

    async with serving(respond) as server:
        await client.call(server.url(), {}, b"first")
        assert (await client.call(server.url(), {}, b"second")).body == b"second"


async def test_the_repetition_fails_like_any_other(client: AppClient) -> None:
    async with serving(FirstThen(b"", b"HTTP/1.1 2")) as server:
        await client.call(server.url(), {}, b"first")
        task = asyncio.ensure_future(failed(client, server.url()))
        while server.connections < 2 or len(server.requests) < 3:
            await asyncio.sleep(0.001)
        server.close_connections()
        assert (await task).kind == failures.UNREACHABLE
        assert server.connections == 2


HEAD_AND_PART = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"


@pytest.mark.parametrize("begun", [b"HTTP/1.1 200 OK\r\nX-A", HEAD_AND_PART])
async def test_an_answer_that_had_begun_is_not_asked_for_again(client: AppClient, begun: bytes) -> None:
    async with serving(FirstThen(begun, http(b"2"))) as server:
        await client.call(server.url(), {}, b"first")
        await failed(client, server.url())
        assert server.connections == 1


async def test_a_reset_within_an_answer_is_not_asked_for_again(client: AppClient) -> None:
    async def respond(received: Received, writer: asyncio.StreamWriter) -> None:
        if received.body == b"first":
            writer.write(http(b"1"))
            return
        writer.write(HEAD_AND_PART)
        await asyncio.sleep(0.02)
        writer.transport.abort()

    async with serving(respond) as server:
        await client.call(server.url(), {}, b"first")
        await failed(client, server.url())
        assert server.connections == 1


async def test_an_app_that_dies_at_work_has_failed(
    client: AppClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "_STALE_WITHIN_SECONDS", 0)
    async with serving(FirstThen(b"", http(b"2"))) as server:
        await client.call(server.url(), {}, b"first")
        await failed(client, server.url())
        assert server.connections == 1
