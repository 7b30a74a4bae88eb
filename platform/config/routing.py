"""Which ASGI application answers a connection: thin handlers by path, Django and Channels for the rest."""

from collections.abc import Mapping

from apps.ingest.asgi_types import ASGIApp, Receive, Scope, Send


class PrefixRouter:
    """Sends HTTP requests below a prefix to its handler, the longest prefix first.

    Lifespan messages are answered here, since neither Django nor Channels does.
    """

    def __init__(self, handlers: Mapping[str, ASGIApp], default: ASGIApp) -> None:
        self._handlers = sorted(handlers.items(), key=lambda item: -len(item[0]))
        self._default = default

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "http":
            await self._handler(scope["path"])(scope, receive, send)
        elif kind == "lifespan":
            await _live(receive, send)
        else:
            await self._default(scope, receive, send)

    def _handler(self, path: str) -> ASGIApp:
        for prefix, handler in self._handlers:
            if path.startswith(prefix):
                return handler
        return self._default


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
