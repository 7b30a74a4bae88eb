"""`/e/<key>` for keys of webhooks: from a request to events in the stream, or to the reason why not.

Mounted by apps/ingest/app.py, which resolves the key. In order: body, sender, response function, transform,
filter, stream, log.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Final
from uuid import UUID

import orjson

from apps.credentials.caller import Caller, CredentialKind
from apps.engine import clock
from apps.engine.keys import Keys
from apps.engine.store.client import RedisClient
from apps.ingest.asgi_types import Receive, Scope
from apps.ingest.bodies import BodyError, read_body
from apps.ingest.keys import client_ip
from apps.ingest.options import IngestOptions
from apps.ingest.publishing import STORE_FAILURES, EventPublisher, checked_trace_parent
from apps.ingest.rates import IngestRates
from apps.ingest.responses import Reply, event_error, not_found
from apps.webhooks import running
from apps.webhooks.attempt import Attempt, Rejected
from apps.webhooks.bodies import Parsed
from apps.webhooks.breaker import Breaker
from apps.webhooks.choices import Outcome, Scheme, Verified
from apps.webhooks.configs import ConfigsUnavailable, WebhookConfig, WebhookConfigs, process_configs
from apps.webhooks.incoming import Incoming, QueryInvalid, headers_of, query_of
from apps.webhooks.log import DeliveryBuffer, process_deliveries
from apps.webhooks.replays import UNDER_WAY_SECONDS, Claim, ReplayMemory
from apps.webhooks.runtime.messages import Function, Result
from apps.webhooks.runtime.pool import ScriptPool
from apps.webhooks.verification.verify import verify

_ALLOW_POST: Final = Reply(405, headers=((b"allow", b"POST"),))
_STORE_DOWN: Final = "Events cannot be stored at the moment"
_UNDER_WAY: Final = "This delivery is under way already"
_UNAVAILABLE: Final = "Webhooks cannot be looked up at the moment"

logger = logging.getLogger(__name__)


class WebhookDoor:
    """`pool` is asked for with the first script. One for each event loop."""

    def __init__(
        self,
        options: IngestOptions,
        store: RedisClient,
        pool: Callable[[], ScriptPool],
        *,
        configs: WebhookConfigs = process_configs,
        deliveries: DeliveryBuffer = process_deliveries,
    ) -> None:
        keys = Keys(options.shard)
        self._options = options
        self._publisher = EventPublisher(store, options.shard)
        self._rates = IngestRates(store, keys.prefix)
        self._replays = ReplayMemory(store, keys)
        self._pool = pool
        self._configs = configs
        self._deliveries = deliveries
        self._breaker = Breaker()

    async def reply(self, scope: Scope, receive: Receive, *, caller: Caller, key: str) -> Reply | None:
        """The answer; None where the key is not that of a webhook. Raises Disconnected.

        Its `error` is empty: refused deliveries are in the log of the webhook.
        """
        try:
            config = await self._config(caller, key)
        except ConfigsUnavailable as problem:
            logger.warning("a webhook was not looked up: %s", problem)
            return event_error(503, _UNAVAILABLE)
        if config is None:
            return not_found() if caller.kind == CredentialKind.WEBHOOK else None
        if scope["method"] != "POST" and not (scope["method"] == "GET" and config.respond):
            return _ALLOW_POST
        attempt = _attempt(config, caller, scope)
        try:
            reply, outcome, error = await self._handled(attempt, scope, receive, caller)
        except Rejected as rejected:
            reply, outcome, error = _rejection(rejected), rejected.outcome, str(rejected)
        self._deliveries.note(attempt.logged(reply.status, outcome, error))
        return reply

    async def _config(self, caller: Caller, key: str) -> WebhookConfig | None:
        if caller.kind == CredentialKind.WEBHOOK:
            return await self._configs.by_id(caller.credential_id)
        return await self._configs.by_key(key) if caller.kind == CredentialKind.NONE else None

    async def _handled(
        self, attempt: Attempt, scope: Scope, receive: Receive, caller: Caller
    ) -> tuple[Reply, Outcome, str]:
        _add_query(attempt, scope)
        self._check_allowed(attempt)
        is_challenge = scope["method"] == "GET"
        claimed = ""
        if not is_challenge:
            await self._add_body(attempt, scope, receive, caller)
            claimed = await self._verify(attempt)
        try:
            result = await self._run(attempt, caller, is_challenge=is_challenge)
        except BaseException:
            await self._release(attempt, claimed)
            raise
        await self._settle(attempt, claimed)
        return result

    async def _run(
        self, attempt: Attempt, caller: Caller, *, is_challenge: bool
    ) -> tuple[Reply, Outcome, str]:
        parsed = running.read_body(attempt)
        if attempt.config.respond:
            answer = running.answer_of(attempt, await self._script(attempt, parsed, Function.RESPOND))
            if answer is not None:
                reply = Reply(answer.status, answer.body, answer.headers)
                return reply, Outcome.ANSWERED, ""
            if is_challenge:
                return _ALLOW_POST, Outcome.INVALID, "the response function has no answer"
        result = await self._script(attempt, parsed, Function.TRANSFORM)
        events = running.events_of(attempt, result, self._options.max_event_bytes)
        kept, denied = running.let_through(attempt, events)
        attempt.events = kept
        await self._publish(attempt, caller)
        outcome = Outcome.ACCEPTED if kept else Outcome.DROPPED
        return _accepted([event.internal_id for event in kept], denied), outcome, _denial(denied)

    async def _add_body(self, attempt: Attempt, scope: Scope, receive: Receive, caller: Caller) -> None:
        own_limit = caller.entitlements.event_bytes
        limit = self._options.max_event_bytes
        limit = limit if own_limit is None else min(limit, own_limit)
        try:
            body = await read_body(dict(scope["headers"]), receive, limit)
        except BodyError as refused:
            raise Rejected(refused.status, Outcome.INVALID, str(refused)) from None
        attempt.incoming = replace(attempt.incoming, body=body)
        if len(body) > limit:
            text = f"Request body is over the max size: Max {limit} bytes"
            raise Rejected(413, Outcome.INVALID, text)

    def _check_allowed(self, attempt: Attempt) -> None:
        config = attempt.config
        if not config.filter.allows_ip(attempt.incoming.ip):
            text = "The filter of the webhook does not let the address through"
            raise Rejected(403, Outcome.FILTERED, text)
        left = self._breaker.seconds_left(config.id)
        if left:
            text = "The webhook pauses, since its script ran into its limits again and again"
            raise Rejected(503, Outcome.SUSPENDED, text, int(left) + 1)

    async def _verify(self, attempt: Attempt) -> str:
        """What was claimed of the memory of replays; empty for nothing. Raises Rejected."""
        verification, incoming = attempt.config.verification, attempt.incoming
        if verification.scheme == Scheme.NONE:
            return ""
        verdict = verify(verification, incoming.headers, incoming.body, incoming.received_ms / 1000)
        reason = verdict.reason
        if verdict.is_verified and verdict.replay_key:
            is_seen = await self._claim(attempt, verdict.replay_key) == Claim.SEEN
            reason = "the delivery came before" if is_seen else ""
        attempt.verified = Verified.NO if reason else Verified.YES
        if reason:
            raise Rejected(401, Outcome.UNVERIFIED, f"Webhook verification failed: {reason}")
        return verdict.replay_key

    async def _claim(self, attempt: Attempt, replay_key: str) -> Claim:
        try:
            claim = await self._replays.claim(attempt.config.id, replay_key)
        except STORE_FAILURES as problem:
            raise _unstored(problem) from None
        if claim == Claim.UNDER_WAY:
            attempt.verified = Verified.YES
            raise Rejected(503, Outcome.BUSY, _UNDER_WAY, UNDER_WAY_SECONDS)
        return claim

    async def _settle(self, attempt: Attempt, claimed: str) -> None:
        """What is stored is accepted: a refusal would have it come, and be stored, again."""
        if not claimed:
            return
        try:
            await self._replays.settle(attempt.config.id, claimed, attempt.config.verification.options)
        except STORE_FAILURES as problem:
            logger.warning("webhook %s: a delivery is not remembered: %s", attempt.config.id, problem)

    async def _release(self, attempt: Attempt, claimed: str) -> None:
        if not claimed:
            return
        try:
            await self._replays.release(attempt.config.id, claimed)
        except STORE_FAILURES as problem:
            logger.warning("webhook %s: a failed delivery is remembered: %s", attempt.config.id, problem)

    async def _script(self, attempt: Attempt, parsed: Parsed, function: Function) -> Result:
        call = running.call_of(attempt, parsed, function)
        try:
            result = await self._pool().run(str(attempt.config.account_id), call)
        except running.POOL_FAILURES as problem:
            raise running.pool_rejection(problem) from None
        self._breaker.note(attempt.config.id, is_limit=result.ending.is_limit)
        return result

    async def _publish(self, attempt: Attempt, caller: Caller) -> None:
        header = attempt.incoming.headers.get("traceparent")
        trace_parent = checked_trace_parent(None if header is None else header.encode(errors="replace"))
        entries = running.stream_entries(attempt, attempt.events, trace_parent)
        try:
            await self._publisher.publish(entries)
            await self._rates.count(caller, len(entries))
        except STORE_FAILURES as problem:
            raise _unstored(problem) from None


def _attempt(config: WebhookConfig, caller: Caller, scope: Scope) -> Attempt:
    incoming = Incoming(
        method=scope["method"],
        headers=headers_of(scope["headers"]),
        query={},
        body=b"",
        received_ms=clock.now_ms(),
        ip=client_ip(scope),
    )
    account, environment = _place(config, caller)
    return Attempt(config, account, environment, incoming)


def _place(config: WebhookConfig, caller: Caller) -> tuple[UUID, UUID]:
    """In dev mode, where all callers are one, the webhook says where it belongs."""
    if caller.kind == CredentialKind.NONE:
        return config.account_id, config.environment_id
    return caller.account_id, caller.environment_id


def _add_query(attempt: Attempt, scope: Scope) -> None:
    try:
        query = query_of(scope.get("query_string", b""))
    except QueryInvalid as invalid:
        raise Rejected(400, Outcome.INVALID, str(invalid)) from None
    attempt.incoming = replace(attempt.incoming, query=query)


def _unstored(problem: Exception) -> Rejected:
    logger.warning("events of a webhook were not stored: %s", problem)
    return Rejected(503, Outcome.UNSTORED, _STORE_DOWN, 2)


def _rejection(rejected: Rejected) -> Reply:
    reply = event_error(rejected.status, str(rejected))
    retry = ((b"retry-after", b"%d" % rejected.retry_after),) if rejected.retry_after else ()
    return reply._replace(error="", headers=(*reply.headers, *retry))


def _accepted(ids: list[str], denied: list[int]) -> Reply:
    """`denied`: places of events whose names the filter does not let through. The others are accepted, and a
    producer that delivered all of them again would double those."""
    errors = [{"index": index, "code": "event_denied", "error": running.DENIED} for index in denied]
    return Reply(200, orjson.dumps({"ids": ids, "status": 200, **({"errors": errors} if errors else {})}))


def _denial(denied: list[int]) -> str:
    return f"{running.DENIED}: {len(denied)} of them" if denied else ""
