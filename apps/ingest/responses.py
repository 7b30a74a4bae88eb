"""Answers of the event path: the JSON bodies of spec 03, 1.5, 1.8 and 3.1, and how they are sent."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import orjson

from apps.ingest.asgi_types import Send
from apps.ingest.cors import HeaderList

_JSON = (b"content-type", b"application/json")
_TEXT = (b"content-type", b"text/plain; charset=utf-8")
_NOSNIFF = (b"x-content-type-options", b"nosniff")


class Reply(NamedTuple):
    """`error` is set where the request is refused for what it is, not for the state that the server is in."""

    status: int
    body: bytes = b""
    headers: Sequence[tuple[bytes, bytes]] = (_JSON,)
    error: str = ""


def accepted(ids: Sequence[str]) -> Reply:
    """The answer to accepted events; without any event the list holds one empty id."""
    return Reply(200, b'{"ids":["%b"],"status":200}' % '","'.join(ids).encode())


def event_error(status: int, error: str, ids: Sequence[str] = ()) -> Reply:
    """Shape B; `ids` are those of the events that were accepted before the error."""
    body = orjson.dumps({"ids": list(ids) or [""], "status": status, "error": error})
    return Reply(status, body, error=_of_the_request(status, error))


def key_error(status: int, error: str) -> Reply:
    body = orjson.dumps({"status": status, "message": "", "error": error})
    return Reply(status, body, error=error)


def invoked(internal_id: str) -> Reply:
    return Reply(200, b'{"id":"%b","status":200}' % internal_id.encode())


def public_error(status: int, error: str) -> Reply:
    """Shape A."""
    body = orjson.dumps({"error": error, "data": None, "status": status}) + b"\n"
    return Reply(status, body, error=_of_the_request(status, error))


def text_error(status: int, text: str) -> Reply:
    """Shape D."""
    return Reply(status, text.encode(), (_TEXT, _NOSNIFF), text)


def not_found() -> Reply:
    return text_error(404, "404 page not found")


def method_not_allowed() -> Reply:
    return Reply(405, headers=((b"allow", b"POST"),), error="method not allowed")


def see_other(location: bytes) -> Reply:
    return Reply(303, headers=((b"location", location),))


def _of_the_request(status: int, error: str) -> str:
    return error if status < 500 else ""


async def send_reply(send: Send, reply: Reply, common: Iterable[tuple[bytes, bytes]]) -> None:
    """Send a reply with its own headers, the `common` ones and its length."""
    headers: HeaderList = [*reply.headers, *common, (b"content-length", b"%d" % len(reply.body))]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
