"""Bodies are bounded before Django sees them."""

import pytest

from apps.ingest.asgi_types import Message, Receive, Scope, Send
from apps.server.body_limit import BodyLimit


class Application:
    """Reads a body to its end, as Django does, and answers its length."""

    def __init__(self) -> None:
        self.is_reached = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.is_reached = True
        size, more = 0, True
        while more:
            message = await receive()
            size += len(message.get("body", b""))
            more = message.get("more_body", False)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"%d" % size})


async def post(
    path: str, parts: list[bytes], *, announced: int | None = None
) -> tuple[Application, list[Message]]:
    application, sent = Application(), list[Message]()
    pending = list(parts)

    async def receive() -> Message:
        part = pending.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(pending)}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [] if announced is None else [(b"content-length", b"%d" % announced)]
    limited = BodyLimit(application, page_bytes=10, api_bytes=20)
    await limited({"type": "http", "path": path, "headers": headers}, receive, send)
    return application, sent


async def answer(path: str, parts: list[bytes], *, announced: int | None = None) -> tuple[int, bytes]:
    _, sent = await post(path, parts, announced=announced)
    return sent[0]["status"], sent[1]["body"]


@pytest.mark.parametrize(("path", "limit"), [("/runs", 10), ("/fn/register", 20), ("/v1/signals", 20)])
async def test_a_chunked_body_may_be_as_long_as_the_limit(path: str, limit: int) -> None:
    whole = [b"a" * 5] * (limit // 5)
    assert await answer(path, whole) == (200, b"%d" % limit)
    assert await answer(path, [*whole, b"b"]) == (413, b"Request body is too large\n")


async def test_an_announced_body_of_a_page_is_refused_unread() -> None:
    application, sent = await post("/runs", [b"a" * 11], announced=11)
    assert (application.is_reached, sent[0]["status"]) == (False, 413)
    assert await answer("/runs", [b"a" * 10], announced=10) == (200, b"10")


async def test_an_api_says_in_its_own_way_that_an_announced_body_is_too_long() -> None:
    """Its view sees the announced length, and no byte of the body."""
    assert await answer("/fn/register", [b"a" * 21], announced=21) == (200, b"0")


async def test_a_body_that_is_longer_than_announced_counts_as_it_comes() -> None:
    assert await answer("/runs", [b"a" * 6, b"a" * 6], announced=6) == (413, b"Request body is too large\n")
