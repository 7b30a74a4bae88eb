"""Requests in parts, and clients that go away."""

from collections.abc import Iterable
from typing import Any

import redis
import uvloop

from apps.engine.store.client import RedisClient
from apps.ingest.app import IngestApp
from apps.ingest.options import IngestOptions
from tests.integration.ingest.streams import STREAM, stored


async def call(app: IngestApp, messages: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    pending = iter(messages)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return next(pending)

    async def send(message: Any) -> None:
        sent.append(message)

    await app({"type": "http", "method": "POST", "path": "/e/key", "headers": []}, receive, send)
    return sent


def part(body: bytes, *, more: bool) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_a_body_in_parts_is_put_together(
    options: IngestOptions, store: RedisClient, redis_client: redis.Redis
) -> None:
    parts = [part(b'{"na', more=True), part(b'me":"a"', more=True), part(b"}", more=False)]
    sent = await call(IngestApp(options, store), parts)
    assert [message.get("status") for message in sent] == [200, None]
    assert [entry.name for entry in stored(redis_client)] == ["a"]


async def test_a_body_without_a_length_is_cut_off_at_the_cap(
    options: IngestOptions, store: RedisClient
) -> None:
    sent = await call(IngestApp(options, store), (part(b" " * 500_000, more=True) for _ in range(5)))
    assert sent[0]["status"] == 413


async def test_a_client_that_goes_away_sends_nothing(
    options: IngestOptions, store: RedisClient, redis_client: redis.Redis
) -> None:
    messages = [part(b'{"name":"a"}', more=True), {"type": "http.disconnect"}]
    assert await call(IngestApp(options, store), messages) == []
    assert not redis_client.exists(STREAM)


def test_the_loop_of_the_web_process(options: IngestOptions, redis_client: redis.Redis) -> None:
    async def main() -> list[dict[str, Any]]:
        store = RedisClient(options.redis_url)
        try:
            return await call(IngestApp(options, store), [part(b'{"name":"a"}', more=False)])
        finally:
            await store.close()

    assert uvloop.run(main())[0]["status"] == 200
    assert len(stored(redis_client)) == 1
