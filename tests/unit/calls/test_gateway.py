"""Requests that the server makes for steps (spec 04, 6.2 to 6.4), over real sockets."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator

import pytest

from apps.engine import clock
from apps.engine.calls.exchange import HttpTransport, Limits
from apps.engine.calls.gateway import OutboundFailed, perform_ai, perform_gateway
from apps.engine.protocol.outbound_options import AIOptions, GatewayOptions
from tests.unit.calls.servers import (
    ANYWHERE,
    PUBLIC_ONLY,
    Received,
    always,
    closing,
    free_port,
    http,
    serving,
)


@pytest.fixture
async def transport() -> AsyncIterator[HttpTransport]:
    transport = HttpTransport(ANYWHERE, limits=Limits(total_seconds=5, max_body_bytes=100_000))
    yield transport
    await transport.close()


async def failed_fetch(transport: HttpTransport, options: GatewayOptions) -> OutboundFailed:
    with pytest.raises(OutboundFailed) as failure:
        await perform_gateway(transport, options)
    return failure.value


async def failed_ai(transport: HttpTransport, options: AIOptions) -> OutboundFailed:
    with pytest.raises(OutboundFailed) as failure:
        await perform_ai(transport, options)
    return failure.value


@pytest.mark.parametrize("status", [200, 404, 500])
async def test_any_answer_is_a_success(transport: HttpTransport, status: int) -> None:
    answer = (
        b"HTTP/1.1 %d X\r\ncontent-type: text/plain\r\nx-a: 1\r\nX-A: 2\r\nContent-Length: 2\r\n\r\nhi"
        % status
    )
    async with serving(always(answer)) as server:
        url = server.url("/x?q=1")
        memo = await perform_gateway(transport, GatewayOptions(url, "GET", {"x-b": "c"}))
    assert json.loads(memo) == {
        "data": {
            "url": url,
            "status_code": status,
            "headers": {"Content-Type": "text/plain", "X-A": "1,2", "Content-Length": "2"},
            "body": "hi",
        }
    }
    (received,) = server.requests
    assert (received.method, received.target, received.body) == ("GET", "/x?q=1", b"")
    assert (received.headers["x-b"], received.headers["user-agent"]) == ("c", "Inngest")
    assert "content-type" not in received.headers


@pytest.mark.parametrize(
    ("method", "body", "sent"),
    [("", None, "GET"), ("", "", "POST"), ("", "x", "POST"), ("DELETE", None, "DELETE")],
)
async def test_method(transport: HttpTransport, method: str, body: str | None, sent: str) -> None:
    async with serving(always(http())) as server:
        await perform_gateway(transport, GatewayOptions(server.url(), method, body=body))
    assert (server.requests[0].method, server.requests[0].body) == (sent, (body or "").encode())


async def test_body_goes_out_as_it_is(transport: HttpTransport) -> None:
    async with serving(always(http())) as server:
        await perform_gateway(transport, GatewayOptions(server.url(), "PUT", body="not json é"))
    assert server.requests[0].body == "not json é".encode()


async def test_framing_is_ours(transport: HttpTransport) -> None:
    headers = {
        "USER-AGENT": "mine",
        "Host": "evil",
        "Content-Length": "999",
        "Transfer-Encoding": "chunked",
        "Accept-Encoding": "zstd",
    }
    async with serving(always(http())) as server:
        await perform_gateway(transport, GatewayOptions(server.url(), "POST", headers, "ab"))
    sent = server.requests[0].headers
    assert (sent["user-agent"], sent["host"], sent["content-length"]) == (
        "mine",
        f"127.0.0.1:{server.port}",
        "2",
    )
    assert "transfer-encoding" not in sent
    assert "zstd" not in sent["accept-encoding"]


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("text/plain; charset=latin-1", b"\xe9", "é"),
        ("text/plain", "é".encode(), "é"),
        ("text/plain", b"\xff", "\ufffd"),
        ("text/plain; charset=hex", b"\xff", "\ufffd"),
        ("text/plain; charset=none-such", b"a", "a"),
    ],
)
async def test_bodies_are_text(transport: HttpTransport, content_type: str, body: bytes, text: str) -> None:
    async with serving(always(http(body, Content_Type=content_type))) as server:
        memo = await perform_gateway(transport, GatewayOptions(server.url()))
    assert json.loads(memo)["data"]["body"] == text


async def test_an_encoding_that_was_undone_is_not_shown(transport: HttpTransport) -> None:
    async with serving(always(http(gzip.compress(b"hi", mtime=0), Content_Encoding="gzip"))) as server:
        memo = await perform_gateway(transport, GatewayOptions(server.url()))
    assert json.loads(memo)["data"] == {"url": server.url(), "status_code": 200, "headers": {}, "body": "hi"}


@pytest.mark.parametrize(
    ("status", "method", "body"), [(302, "GET", b""), (303, "GET", b""), (307, "POST", b"b")]
)
async def test_redirects(transport: HttpTransport, status: int, method: str, body: bytes) -> None:
    redirect, final = always(http(status=status, Location="/to")), always(http(b"1"))

    async def respond(received: Received, writer: asyncio.StreamWriter) -> None:
        await (final if received.target == "/to" else redirect)(received, writer)

    async with serving(respond) as server:
        headers = {"Content-Type": "text/plain", "Authorization": "Bearer x"}
        await perform_gateway(transport, GatewayOptions(server.url("/?a=1"), "POST", headers, "b"))
    received = server.requests[1]
    assert (received.method, received.target, received.body) == (method, "/to", body)
    assert ("content-type" in received.headers) is (method == "POST")
    assert received.headers["authorization"] == "Bearer x"


async def test_secrets_stay_with_their_host(transport: HttpTransport) -> None:
    async with serving(always(http(b"1"))) as target:
        location = target.url(host="localhost")
        async with serving(always(http(status=302, Location=location))) as server:
            headers = {"Authorization": "Bearer x", "Cookie": "c", "x-api-key": "k", "x-plain": "p"}
            await perform_gateway(transport, GatewayOptions(server.url(), "GET", headers))
    sent = target.requests[0].headers
    assert not {"authorization", "cookie", "x-api-key"} & set(sent)
    assert sent["x-plain"] == "p"


async def test_endless_redirects(transport: HttpTransport) -> None:
    async with serving(always(http(status=302, Location="/"))) as server:
        failure = await failed_fetch(transport, GatewayOptions(server.url()))
        assert (failure.message, len(server.requests)) == ("more than 10 redirects", 11)
        assert failure.retryable


async def test_refused(transport: HttpTransport) -> None:
    failure = await failed_fetch(transport, GatewayOptions(f"http://127.0.0.1:{free_port()}/"))
    error = json.loads(failure.memo)["error"]
    assert error == {"name": "GatewayError", "message": f"Error making gateway request: {failure.message}"}
    assert failure.retryable


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("http://127.0.0.1/", "loopback address"),
        ("http://169.254.169.254/latest", "cloud metadata address"),
        ("ftp://example.com/", "only http and https are allowed"),
        ("http://u:p@example.com/", "credentials in the URL are not allowed"),
    ],
)
async def test_forbidden_destinations_are_final(url: str, rule: str) -> None:
    transport = HttpTransport(PUBLIC_ONLY)
    failure = await failed_fetch(transport, GatewayOptions(url))
    await transport.close()
    assert (failure.message, failure.retryable) == (rule, False)
    assert json.loads(failure.memo)["error"]["message"] == f"Error making gateway request: {rule}"


@pytest.mark.parametrize(
    "options",
    [
        GatewayOptions("http://[::1/"),
        GatewayOptions("nonsense"),
        GatewayOptions("http://127.0.0.1:1/", headers={"a": "b\r\nc: d"}),
        GatewayOptions("http://127.0.0.1:1/", headers={"a b": "c"}),
        GatewayOptions("http://127.0.0.1:1/", headers={"": "c"}),
        GatewayOptions("http://127.0.0.1:1/", method="GE T"),
    ],
)
async def test_nonsense_is_final(transport: HttpTransport, options: GatewayOptions) -> None:
    assert not (await failed_fetch(transport, options)).retryable


async def test_too_large(transport: HttpTransport) -> None:
    async with serving(always(http(b"x" * 100_001))) as server:
        failure = await failed_fetch(transport, GatewayOptions(server.url()))
    assert failure.message == "the body is larger than 100000 bytes"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (AIOptions("", auth_key="k"), {"authorization": "Bearer k"}),
        (AIOptions("", "grok", "k"), {"authorization": "Bearer k"}),
        (AIOptions("", "azure-openai", "", {"api-key": "z"}), {"api-key": "z"}),
        (AIOptions("", "azure-openai", "k", {"api-key": "z"}), {"api-key": "z", "authorization": "Bearer k"}),
        (AIOptions("", "anthropic", "k"), {"x-api-key": "k"}),
        (AIOptions("", "bedrock", "k"), {"authorization": "k"}),
        (AIOptions("", "openai-chat", "k", {"authorization": "mine"}), {"authorization": "mine"}),
        (AIOptions("", "openai-chat", "k", {"content-type": "x/y"}), {"authorization": "Bearer k"}),
        (AIOptions("", "gemini", "k"), {}),
    ],
)
async def test_ai_authorisation(
    transport: HttpTransport, options: AIOptions, expected: dict[str, str]
) -> None:
    async with serving(always(http(b"{}"))) as server:
        given = AIOptions(server.url(), options.format, options.auth_key, options.headers, b'{"model": "m"}')
        await perform_ai(transport, given)
    (received,) = server.requests
    names = {"authorization", "api-key", "x-api-key"}
    assert {name: received.headers[name] for name in names & set(received.headers)} == expected
    assert (received.method, received.body) == ("POST", b'{"model": "m"}')
    assert received.headers["content-type"] == options.headers.get("content-type", "application/json")


@pytest.mark.parametrize(("query", "sent"), [("", "key=k"), ("?key=old&alt=sse", "key=k&alt=sse")])
async def test_gemini_key(transport: HttpTransport, query: str, sent: str) -> None:
    async with serving(always(http(b"{}"))) as server:
        await perform_ai(transport, AIOptions(server.url(f"/v1{query}"), "gemini", "k"))
    assert sorted(server.requests[0].target.partition("?")[2].split("&")) == sorted(sent.split("&"))


async def test_ai_answer(transport: HttpTransport) -> None:
    async with serving(always(http(b' {"choices": []}\n', status=201))) as server:
        memo = await perform_ai(transport, AIOptions(server.url(), auth_key="k"))
    assert memo == b'{"data":{"choices": []}}'


async def test_ai_refusal(transport: HttpTransport) -> None:
    answer = http(b'{"error":"slow"}', status=429, Retry_After="7")
    clock.set_time_source(lambda: 1000.0)
    try:
        async with serving(always(answer)) as server:
            failure = await failed_ai(transport, AIOptions(server.url(), auth_key="sk-secret"))
    finally:
        clock.set_time_source(None)
    assert (failure.message, failure.retryable, failure.retry_at_ms) == (
        "unsuccessful status code: 429",
        True,
        1_007_000,
    )
    assert json.loads(failure.memo) == {
        "error": {
            "name": "AIGatewayError",
            "message": "Error making AI request: unsuccessful status code: 429",
            "data": {"error": "slow"},
            "stack": '{"error":"slow"}',
        }
    }


async def test_ai_answer_that_is_not_json(transport: HttpTransport) -> None:
    async with serving(always(http(b"<html>"))) as server:
        failure = await failed_ai(transport, AIOptions(server.url()))
    assert json.loads(failure.memo)["error"]["data"] == "<html>"
    assert failure.retryable


@pytest.mark.parametrize("status", [0, 200, 400])
async def test_keys_never_show(transport: HttpTransport, status: int) -> None:
    garbage = closing(b"HTTP/9.9 nonsense\r\n\r\n")
    async with serving(always(http(b"x", status=status)) if status else garbage) as server:
        failure = await failed_ai(transport, AIOptions(server.url("/?key=AIza"), "gemini", "AIza"))
    shown = f"{failure!r} {failure.message} {failure.memo!r} {failure.__cause__!r}"
    assert "AIza" not in shown


async def test_ai_timeout_does_not_show_the_key() -> None:
    async def never(received: Received, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    transport = HttpTransport(ANYWHERE, limits=Limits(total_seconds=0.05))
    async with serving(never) as server:
        failure = await failed_ai(transport, AIOptions(server.url("/?key=AIza"), "gemini", "AIza"))
    await transport.close()
    assert failure.message == "timed out"
    assert json.loads(failure.memo)["error"]["error"] == "Error making AI request"


async def test_a_reset_request_is_not_sent_again_within_an_attempt(transport: HttpTransport) -> None:
    async def respond(received: Received, writer: asyncio.StreamWriter) -> None:
        if received.body == b"second":
            writer.transport.abort()
        else:
            writer.write(http(b"1"))

    async with serving(respond) as server:
        await perform_gateway(transport, GatewayOptions(server.url(), "POST", {}, "first"))
        failure = await failed_fetch(transport, GatewayOptions(server.url(), "POST", {}, "second"))
        assert failure.retryable
        assert [request.body for request in server.requests] == [b"first", b"second"]
