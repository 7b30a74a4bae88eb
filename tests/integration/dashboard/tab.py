"""A browser tab's live connection, as the consumer sees it (channels.testing needs daphne)."""

import json
from collections.abc import Callable
from typing import Any, Protocol, cast

from asgiref.testing import ApplicationCommunicator
from channels.routing import URLRouter

from apps.realtime.routing import websocket_urlpatterns

# django-stubs and types-channels disagree on URL patterns.
_router = URLRouter(cast("list[Any]", websocket_urlpatterns))


class Communicator(Protocol):
    """asgiref has no types for its own."""

    async def send_input(self, message: dict[str, object]) -> None: ...
    async def receive_output(self, timeout: float) -> dict[str, object]: ...
    async def receive_nothing(self, timeout: float) -> bool: ...
    async def wait(self) -> None: ...


_communicator = cast("Callable[..., Communicator]", ApplicationCommunicator)


class Tab:
    def __init__(
        self, headers: list[tuple[bytes, bytes]], more: dict[str, Any] | None = None, place: str = ""
    ) -> None:
        """`more` is what middleware adds to the scope, `place` the path of the environment that the page is
        of."""
        scope = {"type": "websocket", "path": f"{place}/ws/live", "headers": headers, "subprotocols": []}
        scope |= more or {}
        self._connection = _communicator(_router, scope)

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
        return await self._connection.receive_output(timeout=5)

    async def hears_nothing(self, seconds: float) -> bool:
        return await self._connection.receive_nothing(timeout=seconds)
