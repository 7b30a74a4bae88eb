"""Reading a request's body, bounded."""

from collections.abc import Mapping

from apps.ingest.asgi_types import Receive

_IDENTITY = (b"", b"identity")


class BodyError(Exception):
    """The body is refused before anything looks at it; `status` is the HTTP status of the answer."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status


class Disconnected(Exception):
    """The client went away before its body was complete: nobody waits for an answer."""


async def read_body(headers: Mapping[bytes, bytes], receive: Receive, max_bytes: int) -> bytes:
    """The whole body. Raises BodyError (413 too large, 415 compressed) and Disconnected."""
    encoding = headers.get(b"content-encoding", b"").strip().lower()
    if encoding not in _IDENTITY:
        raise BodyError(415, f"Content-Encoding {encoding.decode('latin-1')} is not supported")
    announced = headers.get(b"content-length", b"")
    if announced.isdigit() and int(announced[:20]) > max_bytes:
        raise _too_large(max_bytes)
    body, is_complete = await _next_part(receive)
    if is_complete:
        return body
    parts = [body]
    size = len(body)
    while not is_complete:
        body, is_complete = await _next_part(receive)
        parts.append(body)
        size += len(body)
        if size > max_bytes:
            raise _too_large(max_bytes)
    return b"".join(parts)


async def _next_part(receive: Receive) -> tuple[bytes, bool]:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Disconnected
    return message.get("body", b""), not message.get("more_body", False)


def _too_large(max_bytes: int) -> BodyError:
    return BodyError(413, f"Request body is over the max size: Max {max_bytes} bytes")
