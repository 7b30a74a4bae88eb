"""POST /e/{key} and POST /invoke/{slug}, straight on ASGI (spec 01, chapter 5; spec 03, chapter 3).

Mounted in front of Django: this path takes a few dozen microseconds where Django takes a millisecond.
"""

import logging
from collections.abc import Mapping
from typing import TypeAlias
from urllib.parse import unquote

from apps.engine import clock
from apps.engine.protocol.event_errors import EventRejected, MalformedEvent
from apps.engine.protocol.events import parse_events, parse_invocation
from apps.engine.protocol.ids import Seed, parse_seed
from apps.engine.protocol.signing import bearer_token
from apps.ingest import responses
from apps.ingest.asgi_types import Receive, Scope, Send
from apps.ingest.bodies import BodyError, Disconnected, read_body
from apps.ingest.cors import is_preflight, origin_headers, preflight_headers
from apps.ingest.keys import Credentials, Refusal
from apps.ingest.options import IngestOptions
from apps.ingest.publishing import (
    STORE_FAILURES,
    EventPublisher,
    Store,
    api_entries,
    checked_trace_parent,
    invocation_entry,
)
from apps.ingest.refusing import refused_event, refused_invocation
from apps.ingest.responses import Reply
from apps.refusals.buffer import RefusalBuffer, process_refusals

Headers: TypeAlias = Mapping[bytes, bytes]

PREFIXES = ("/e/", "/invoke/")
STORE_DOWN = "Events cannot be stored at the moment"

_EVENTS = b"/e/"
_INVOKE = b"/invoke/"

logger = logging.getLogger(__name__)


class IngestApp:
    """The ASGI callable for the paths below `PREFIXES`."""

    def __init__(
        self, options: IngestOptions, store: Store, refusals: RefusalBuffer = process_refusals
    ) -> None:
        self._options = options
        self._refusals = refusals
        self._credentials = Credentials(options)
        self._publisher = EventPublisher(store, options.shard)
        self._server_kind = (b"x-inngest-server-kind", options.server_kind.encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        if is_preflight(scope["method"], headers):
            reply = Reply(200, headers=preflight_headers(headers))
            await responses.send_reply(send, reply, [self._server_kind])
            return
        try:
            reply = await self._reply(scope, headers, receive)
        except Disconnected:
            return
        if reply.error:
            self._note(scope["method"], _raw_path(scope), headers, reply)
        common = [self._server_kind, *origin_headers(headers.get(b"origin"))]
        await responses.send_reply(send, reply, common)

    async def _reply(self, scope: Scope, headers: Headers, receive: Receive) -> Reply:
        path = _raw_path(scope)
        is_post = scope["method"] == "POST"
        if path.startswith(_EVENTS):
            key = path[len(_EVENTS) :]
            if b"/" in key:
                return responses.not_found()
            if not key and not (is_post and self._options.mode == "server"):
                return responses.see_other(_EVENTS[:-1])
            return await self._events(_text(key), headers, receive) if is_post else _NOT_POST
        slug = path[len(_INVOKE) :]
        if b"/" in slug:
            return responses.not_found()
        return await self._invoke(_text(slug), headers, receive) if is_post else _NOT_POST

    def _note(self, method: str, path: bytes, headers: Headers, reply: Reply) -> None:
        if path.startswith(_EVENTS):
            noted = refused_event(self._credentials, method, _text(path[len(_EVENTS) :]), reply)
        else:
            slug = _text(path[len(_INVOKE) :])
            noted = refused_invocation(self._credentials, method, slug, _bearer(headers), reply)
        self._refusals.note(*noted)

    async def _events(self, key: str, headers: Headers, receive: Receive) -> Reply:
        tenant = self._credentials.resolve_event_key(key)
        if isinstance(tenant, Refusal):
            return responses.key_error(tenant.status, tenant.error)
        try:
            body = await read_body(headers, receive, self._options.max_body_bytes)
        except BodyError as exc:
            return responses.event_error(exc.status, str(exc))
        seed = _seed(headers)
        parsed = parse_events(
            body, received_ms=clock.now_ms(), max_bytes=self._options.max_event_bytes, seed=seed
        )
        trace_parent = checked_trace_parent(headers.get(b"traceparent"))
        entries = api_entries(parsed.accepted, tenant, is_seeded=seed is not None, trace_parent=trace_parent)
        try:
            await self._publisher.publish(entries)
        except STORE_FAILURES as exc:
            return responses.event_error(503, _store_down(exc))
        ids = [entry.internal_id for entry in entries]
        return responses.event_error(400, parsed.error, ids) if parsed.error else responses.accepted(ids)

    async def _invoke(self, slug: str, headers: Headers, receive: Receive) -> Reply:
        tenant = self._credentials.resolve_bearer(_bearer(headers))
        if tenant is None:
            return responses.text_error(401, "Authentication failed\n")
        if not slug:
            return responses.public_error(400, "Function slug is required")
        seed = _seed(headers)
        try:
            body = await read_body(headers, receive, self._options.max_body_bytes)
            event = parse_invocation(
                body,
                slug,
                received_ms=clock.now_ms(),
                max_bytes=self._options.max_event_bytes,
                seed=seed,
            )
            trace_parent = checked_trace_parent(headers.get(b"traceparent"))
            entry = invocation_entry(
                event, tenant, slug, is_seeded=seed is not None, trace_parent=trace_parent
            )
            await self._publisher.publish([entry])
        except BodyError as exc:
            return responses.public_error(exc.status, str(exc))
        except MalformedEvent:
            return responses.public_error(400, "Invalid invocation event")
        except EventRejected as exc:
            return responses.public_error(400, str(exc))
        except STORE_FAILURES as exc:
            return responses.public_error(503, _store_down(exc))
        return responses.invoked(event.internal_id)


_NOT_POST = responses.method_not_allowed()


def _raw_path(scope: Scope) -> bytes:
    """The path as sent: a slash inside of a key or slug is `%2F` there."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw


def _text(segment: bytes) -> str:
    text = segment.decode("latin-1")
    return unquote(text) if "%" in text else text


def _seed(headers: Headers) -> Seed | None:
    header = headers.get(b"x-inngest-event-id-seed")
    return None if header is None else parse_seed(header.decode("latin-1"))


def _bearer(headers: Headers) -> str:
    return bearer_token(headers.get(b"authorization", b"").decode("latin-1"))


def _store_down(exc: Exception) -> str:
    logger.warning("events were not stored: %s", exc)
    return STORE_DOWN
