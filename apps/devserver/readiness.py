"""Waiting until the platform is ready."""

import asyncio
import http.client
from collections.abc import Callable

_EVERY_SECONDS = 0.05
_REQUEST_SECONDS = 2.0


async def wait_until(condition: Callable[[], bool]) -> None:
    """Ask `condition`, in a thread, until it holds."""
    while not await asyncio.to_thread(condition):
        await asyncio.sleep(_EVERY_SECONDS)


def answers_ok(host: str, port: int, path: str) -> bool:
    """Whether `GET path` answers 200."""
    connection = http.client.HTTPConnection(host, port, timeout=_REQUEST_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
