"""The composed application of `config.asgi`."""

import asyncio
from typing import Any

from config.asgi import application
from config.routing import PrefixRouter


async def call(
    app: PrefixRouter, scope: dict[str, Any], incoming: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return incoming.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent


async def test_the_event_path_is_mounted_before_django() -> None:
    for path in ("/e/key", "/invoke/app-fn"):
        scope: dict[str, Any] = {"type": "http", "method": "GET", "path": path, "headers": []}
        assert (await call(application, scope, []))[0]["status"] == 405


async def test_the_longest_prefix_answers_and_the_rest_goes_on() -> None:
    def named(name: str) -> Any:
        async def handler(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": name})

        return handler

    router = PrefixRouter({"/v1/": named("short"), "/v1/checkpoint/": named("long")}, named("default"))
    kinds = [
        (await call(router, {"type": kind, "path": path}, []))[0]["type"]
        for kind, path in [
            ("http", "/v1/checkpoint/x"),
            ("http", "/v1/x"),
            ("http", "/"),
            ("http", "/v1"),
            ("websocket", "/v1/x"),
        ]
    ]
    assert kinds == ["long", "short", "default", "default", "default"]


async def test_lifespan_messages_are_answered() -> None:
    incoming = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent = await call(application, {"type": "lifespan"}, incoming)
    assert [message["type"] for message in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]


async def test_services_run_from_startup_to_shutdown() -> None:
    told: list[str] = []

    class Service:
        name = "told"

        async def run(self, stop: asyncio.Event) -> None:
            told.append("started")
            await stop.wait()
            told.append("stopped")

    async def nobody(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("no request was made")

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0)
        return incoming.pop(0)

    async def send(message: Any) -> None:
        told.append(message["type"])
        await asyncio.sleep(0)

    incoming = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    await PrefixRouter({}, nobody, [Service()])({"type": "lifespan"}, receive, send)
    assert told == ["lifespan.startup.complete", "started", "stopped", "lifespan.shutdown.complete"]
