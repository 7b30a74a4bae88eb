"""Answers of the event path: the JSON bodies of spec 03, 1.5, 1.8 and 3.1, and how they are sent."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import orjson

from apps.credentials.caller import Code, Refused
from apps.ingest.asgi_types import Send
from apps.ingest.cors import HeaderList

_JSON = (b"content-type", b"application/json")
_TEXT = (b"content-type", b"text/plain; charset=utf-8")
_NOSNIFF = (b"x-content-type-options", b"nosniff")

EVENT_DENIED = "The key does not take events of this name"
_KEY_ERRORS: dict[str, str] = {
    Code.MISSING: "Event key is required",
    Code.INVALID: "Event key not found",
}


class Reply(NamedTuple):
    """`error` is set where the request is refused for what it is, not for the state that the server is in;
    `env_id` is then the environment of a caller who is known."""

    status: int
    body: bytes = b""
    headers: Sequence[tuple[bytes, bytes]] = (_JSON,)
    error: str = ""
    env_id: str = ""


def accepted(ids: Sequence[str]) -> Reply:
    """The answer to accepted events; without any event the list holds one empty id."""
    return Reply(200, b'{"ids":["%b"],"status":200}' % '","'.join(ids).encode())


def event_error(status: int, error: str, ids: Sequence[str] = ()) -> Reply:
    """Shape B; `ids` are those of the events that were accepted before the error."""
    body = orjson.dumps({"ids": list(ids) or [""], "status": status, "error": error})
    return Reply(status, body, error=_of_the_request(status, error))


def denied_events(status: int, error: str, ids: Sequence[str], denied: Sequence[int]) -> Reply:
    """Shape B, with an entry for each event that the key does not take; `index` is its place in the body."""
    item = {"code": "event_denied", "error": EVENT_DENIED}
    errors = [{"index": index, **item} for index in denied]
    body = {"ids": list(ids) or [""], "status": status, "error": error, "errors": errors}
    return Reply(status, orjson.dumps(body), error=error)


def key_error(status: int, error: str, code: str = "") -> Reply:
    """Spec 03, 2.3; the refusals beyond it have a `code` too."""
    named = {"code": code} if code else {}
    body = orjson.dumps({"status": status, "message": "", "error": error, **named})
    return Reply(status, body, error=_of_the_request(status, error))


def key_refusal(refused: Refused) -> Reply:
    """An event key that leads nowhere. One without a place in spec 03 is told by its code."""
    if refused.code in _KEY_ERRORS:
        return key_error(refused.status, _KEY_ERRORS[refused.code])
    return _noted(key_error(refused.status, refused.message, refused.code), refused)


def call_refusal(refused: Refused) -> Reply:
    """A bearer token that leads nowhere, in shape A."""
    return _noted(public_error(refused.status, refused.message, refused.code), refused)


def _noted(reply: Reply, refused: Refused) -> Reply:
    env_id = str(refused.environment_id) if refused.environment_id else ""
    retry = ((b"retry-after", b"%d" % refused.retry_after),) if refused.retry_after else ()
    return reply._replace(env_id=env_id, headers=(*reply.headers, *retry))


def invoked(internal_id: str) -> Reply:
    return Reply(200, b'{"id":"%b","status":200}' % internal_id.encode())


def public_error(status: int, error: str, code: str = "") -> Reply:
    """Shape A."""
    named = {"code": code} if code else {}
    body = orjson.dumps({**named, "error": error, "data": None, "status": status}) + b"\n"
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
