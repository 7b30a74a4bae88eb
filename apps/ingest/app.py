"""POST /e/{key} and POST /invoke/{slug}, straight on ASGI (spec 01, chapter 5; spec 03, chapter 3).

Mounted in front of Django: this path takes a few dozen microseconds where Django takes a millisecond.
"""

import logging
from collections.abc import Mapping
from typing import TypeAlias
from urllib.parse import unquote

from apps.credentials.resolution import (
    Caller,
    Code,
    CredentialResolver,
    Refused,
)
from apps.credentials.uses import WRITE
from apps.engine import clock
from apps.engine.keys import Keys
from apps.engine.protocol.event_errors import EventRejected, MalformedEvent
from apps.engine.protocol.events import AcceptedEvent, parse_events, parse_invocation
from apps.engine.protocol.ids import Seed, is_ulid, parse_seed
from apps.engine.protocol.signing import bearer_token
from apps.engine.store.client import RedisClient
from apps.ingest import responses
from apps.ingest.asgi_types import ASGIApp, Receive, Scope, Send
from apps.ingest.bodies import BodyError, Disconnected, read_body
from apps.ingest.cors import is_preflight, origin_headers, preflight_headers
from apps.ingest.keys import client_ip, configured_resolver, environment_name
from apps.ingest.options import IngestOptions
from apps.ingest.publishing import (
    STORE_FAILURES,
    EventPublisher,
    api_entries,
    checked_trace_parent,
    invocation_entry,
)
from apps.ingest.rates import IngestRates
from apps.ingest.refusing import refused_event, refused_invocation
from apps.ingest.request_ids import RequestIds
from apps.ingest.responses import Reply
from apps.ingest.webhooks import KEY_LENGTH, Webhooks, may_be_webhook
from apps.refusals.buffer import RefusalBuffer, process_refusals
from apps.tenancy.permissions import Permission

Headers: TypeAlias = Mapping[bytes, bytes]

PREFIXES = ("/e/", "/invoke/")
STORE_DOWN = "Events cannot be stored at the moment"

_EVENTS = b"/e/"
_INVOKE = b"/invoke/"

logger = logging.getLogger(__name__)


class IngestApp:
    """The ASGI callable for the paths below `PREFIXES`.

    Without a `resolver` there are no keys but those of the options. `pages` answers who looks at the short
    address of an event, which is an event's id in the place of a key.
    """

    def __init__(
        self,
        options: IngestOptions,
        store: RedisClient,
        refusals: RefusalBuffer = process_refusals,
        resolver: CredentialResolver | None = None,
        webhooks: Webhooks | None = None,
        pages: ASGIApp | None = None,
    ) -> None:
        self._options = options
        self._refusals = refusals
        self._resolver = resolver or configured_resolver(options)
        self._webhooks = webhooks
        self._pages = pages
        self._has_no_keys = options.mode == "server" and not options.event_keys and resolver is None
        self._publisher = EventPublisher(store, options.shard)
        self._rates = IngestRates(store, Keys(options.shard).prefix)
        self._request_ids = RequestIds()
        self._server_kind = (b"x-inngest-server-kind", options.server_kind.encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._pages is not None and _is_short_address(scope):
            await self._pages(scope, receive, send)
            return
        headers = dict(scope["headers"])
        request_id = self._request_ids.begin(headers)
        if is_preflight(scope["method"], headers):
            reply = Reply(200, headers=preflight_headers(headers))
            await responses.send_reply(send, reply, [self._server_kind, request_id])
            return
        try:
            reply = await self._reply(scope, headers, receive)
        except Disconnected:
            return
        if reply.error:
            self._note(scope["method"], _raw_path(scope), headers, reply)
        common = [self._server_kind, request_id, *origin_headers(headers.get(b"origin"))]
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
            if is_post or self._may_be_challenge(scope, key):
                return await self._events(_text(key), scope, headers, receive)
            return _NOT_POST
        slug = path[len(_INVOKE) :]
        if b"/" in slug:
            return responses.not_found()
        return await self._invoke(_text(slug), scope, headers, receive) if is_post else _NOT_POST

    def _may_be_challenge(self, scope: Scope, key: bytes) -> bool:
        """Producers ask webhooks who owns the URL by GET."""
        return self._webhooks is not None and scope["method"] == "GET" and len(key) == KEY_LENGTH

    def _note(self, method: str, path: bytes, headers: Headers, reply: Reply) -> None:
        if path.startswith(_EVENTS):
            noted = refused_event(method, _text(path[len(_EVENTS) :]), reply)
        else:
            slug = _text(path[len(_INVOKE) :])
            noted = refused_invocation(self._options, method, slug, _bearer(headers), reply)
        self._refusals.note(*noted)

    async def _events(self, key: str, scope: Scope, headers: Headers, receive: Receive) -> Reply:
        if self._has_no_keys:
            return _NO_KEYS
        caller = await self._resolver.event_key(
            key, env_name=environment_name(scope, headers), ip=client_ip(scope)
        )
        if isinstance(caller, Refused):
            return responses.key_refusal(caller)
        reply = await self._accept(caller, key, scope, headers, receive)
        return reply._replace(env_id=caller.env_id) if reply.error else reply

    async def _accept(
        self, caller: Caller, key: str, scope: Scope, headers: Headers, receive: Receive
    ) -> Reply:
        try:
            if limited := await self._limited(caller):
                return responses.key_refusal(limited)
            if self._webhooks is not None and may_be_webhook(caller, key):
                reply = await self._webhooks.reply(scope, receive, caller=caller, key=key)
                if reply is not None:
                    return reply
            if scope["method"] != "POST":
                return _NOT_POST
            body = await read_body(headers, receive, self._options.max_body_bytes)
            return await self._store(caller, headers, body)
        except BodyError as exc:
            return responses.event_error(exc.status, str(exc))
        except STORE_FAILURES as exc:
            return responses.event_error(503, _store_down(exc))

    async def _store(self, caller: Caller, headers: Headers, body: bytes) -> Reply:
        """Raises one of STORE_FAILURES."""
        seed = _seed(headers)
        max_bytes = min(caller.max_event_bytes, self._options.max_event_bytes)
        parsed = parse_events(body, received_ms=clock.now_ms(), max_bytes=max_bytes, seed=seed)
        accepted, denied = filtered(caller, parsed.accepted)
        trace_parent = checked_trace_parent(headers.get(b"traceparent"))
        entries = api_entries(accepted, caller, is_seeded=seed is not None, trace_parent=trace_parent)
        await self._publisher.publish(entries)
        if caller.is_rated:
            await self._rates.count(caller, len(entries))
        ids = [entry.internal_id for entry in entries]
        if denied:
            status = 400 if parsed.error else 403
            return responses.denied_events(status, parsed.error or responses.EVENT_DENIED, ids, denied)
        return responses.event_error(400, parsed.error, ids) if parsed.error else responses.accepted(ids)

    async def _limited(self, caller: Caller) -> Refused | None:
        """The account's rate. Raises one of STORE_FAILURES."""
        seconds = await self._rates.retry_after(caller)
        return _too_many(caller, seconds) if seconds else None

    async def _invoke(self, slug: str, scope: Scope, headers: Headers, receive: Receive) -> Reply:
        caller = await self._invoker(scope, headers)
        if isinstance(caller, Refused):
            if caller.status == 401:
                return responses.text_error(401, "Authentication failed\n")
            return responses.call_refusal(caller)
        reply = await self._accept_invocation(caller, slug, headers, receive)
        return reply._replace(env_id=caller.env_id) if reply.error else reply

    async def _invoker(self, scope: Scope, headers: Headers) -> Caller | Refused:
        """A signing key, an API key, or an event key in the place of one."""
        token, name, ip = _bearer(headers), environment_name(scope, headers), client_ip(scope)
        permission = Permission.FUNCTION_INVOKE
        caller = await self._resolver.bearer(token, use=WRITE, permission=permission, env_name=name, ip=ip)
        if isinstance(caller, Refused) and caller.code == Code.INVALID:
            return await self._resolver.event_key(
                token, use=WRITE, permission=permission, env_name=name, ip=ip
            )
        return caller

    async def _accept_invocation(
        self, caller: Caller, slug: str, headers: Headers, receive: Receive
    ) -> Reply:
        if not slug:
            return responses.public_error(400, "Function slug is required")
        try:
            if caller.is_rated and (limited := await self._limited(caller)):
                return responses.call_refusal(limited)
            body = await read_body(headers, receive, self._options.max_body_bytes)
            return await self._store_invocation(caller, slug, headers, body)
        except BodyError as exc:
            return responses.public_error(exc.status, str(exc))
        except MalformedEvent:
            return responses.public_error(400, "Invalid invocation event")
        except EventRejected as exc:
            return responses.public_error(400, str(exc))
        except STORE_FAILURES as exc:
            return responses.public_error(503, _store_down(exc))

    async def _store_invocation(self, caller: Caller, slug: str, headers: Headers, body: bytes) -> Reply:
        """Raises EventRejected, as MalformedEvent too, and one of STORE_FAILURES."""
        seed = _seed(headers)
        max_bytes = min(caller.max_event_bytes, self._options.max_event_bytes)
        event = parse_invocation(body, slug, received_ms=clock.now_ms(), max_bytes=max_bytes, seed=seed)
        trace_parent = checked_trace_parent(headers.get(b"traceparent"))
        entry = invocation_entry(event, caller, slug, is_seeded=seed is not None, trace_parent=trace_parent)
        await self._publisher.publish([entry])
        if caller.is_rated:
            await self._rates.count(caller, 1)
        return responses.invoked(event.internal_id)


_NO_KEYS = responses.key_error(503, "Event keys are required to process events securely")._replace(
    error="Event keys are required to process events securely"
)
_NOT_POST = responses.method_not_allowed()


def filtered(caller: Caller, events: list[AcceptedEvent]) -> tuple[list[AcceptedEvent], list[int]]:
    """What the key's filter lets through, and the places of what it does not."""
    if caller.filter is None or not caller.filter.has_events:
        return events, []
    passes = [caller.filter.allows_event(event.name) for event in events]
    accepted = [event for event, is_taken in zip(events, passes, strict=True) if is_taken]
    return accepted, [index for index, is_taken in enumerate(passes) if not is_taken]


def _too_many(caller: Caller, seconds: int) -> Refused:
    text = "The organisation sends more events than it may"
    return Refused(429, Code.RATE_LIMITED, text, caller.environment_id, seconds)


def _is_short_address(scope: Scope) -> bool:
    path: str = scope["path"]
    return scope["method"] in ("GET", "HEAD") and path.startswith("/e/") and is_ulid(path[len("/e/") :])


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
