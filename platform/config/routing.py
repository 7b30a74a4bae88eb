"""Which ASGI application answers a connection: thin handlers by path, Django and Channels for the rest."""

import asyncio
from collections.abc import Mapping, Sequence

from apps.engine.services import Service, run_services
from apps.ingest.asgi_types import ASGIApp, Receive, Scope, Send


class PrefixRouter:
    """Sends HTTP requests below a prefix to its handler, the longest prefix first.

    Lifespan messages are answered here, since neither Django nor Channels does; `services` run from
    startup to shutdown.
    """

    def __init__(
        self, handlers: Mapping[str, ASGIApp], default: ASGIApp, services: Sequence[Service] = ()
    ) -> None:
        self._services = services
        self._handlers = sorted(handlers.items(), key=lambda item: -len(item[0]))
        self._default = default

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "http":
            await self._handler(scope["path"])(scope, receive, send)
        elif kind == "lifespan":
            await self._live(receive, send)
        else:
            await self._default(scope, receive, send)

    def _handler(self, path: str) -> ASGIApp:
        for prefix, handler in self._handlers:
            if path.startswith(prefix):
                return handler
        return self._default

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        stop = asyncio.Event()
        running = asyncio.ensure_future(run_services(self._services, stop))
        await send({"type": "lifespan.startup.complete"})
        await receive()
        stop.set()
        await running
        await send({"type": "lifespan.shutdown.complete"})
