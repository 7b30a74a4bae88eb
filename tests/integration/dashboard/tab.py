"""A browser tab's live connection, as the consumer sees it (channels.testing needs daphne)."""

import json
from typing import Any, cast

from asgiref.testing import ApplicationCommunicator
from channels.routing import URLRouter

from apps.realtime.routing import websocket_urlpatterns

# django-stubs and types-channels disagree on URL patterns.
_router = URLRouter(cast("list[Any]", websocket_urlpatterns))


class Tab:
    def __init__(self, headers: list[tuple[bytes, bytes]]) -> None:
        scope = {"type": "websocket", "path": "/ws/live", "headers": headers, "subprotocols": []}
        self._connection = ApplicationCommunicator(_router, scope)

    async def connect(self) -> dict[str, object]:
        """The server's answer: an accept or a close."""
        await self._connection.send_input({"type": "websocket.connect"})
        return await self.receive_raw()

    async def disconnect(self) -> None:
        await self._connection.send_input({"type": "websocket.disconnect", "code": 1000})
        await self._connection.wait()

    async def send(self, message: dict[str, object]) -> None:
        await self.send_text(json.dumps(message))

    async def send_text(self, text: str) -> None:
        await self._connection.send_input({"type": "websocket.receive", "text": text})

    async def receive(self) -> dict[str, list[str]]:
        message: dict[str, list[str]] = json.loads(str((await self.receive_raw())["text"]))
        return message

    async def receive_raw(self) -> dict[str, object]:
        message: dict[str, object] = await self._connection.receive_output(timeout=5)
        return message

    async def hears_nothing(self, seconds: float) -> bool:
        return bool(await self._connection.receive_nothing(timeout=seconds))
