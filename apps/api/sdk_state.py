"""Endpoints that SDKs call in the middle of a run, straight on ASGI (spec 01, 6.6 and 14).

POST /v1/checkpoint/{run}/async, GET /v0/runs/{run}/actions and /batch. Every step of a
TypeScript v4 function passes here, so the path avoids Django. Other requests go on to Django.
"""

import asyncio
import re
import uuid
from collections.abc import Mapping
from typing import TypeAlias

import orjson

from apps.credentials.directory import DirectoryUnavailable
from apps.credentials.resolution import Caller, Code, CredentialKind, CredentialResolver, Refused
from apps.credentials.uses import CHECKPOINT, RUN_STATE, Use
from apps.engine.checkpoints import CheckpointRefused, save_checkpoint
from apps.engine.engine import Engine
from apps.engine.protocol.ids import is_ulid
from apps.engine.protocol.signing import bearer_token
from apps.engine.store.client import RedisUnavailable
from apps.ingest import responses
from apps.ingest.asgi_types import ASGIApp, Receive, Scope, Send
from apps.ingest.bodies import BodyError, Disconnected, read_body
from apps.ingest.cors import origin_headers
from apps.ingest.keys import client_ip, configured_resolver, environment_name
from apps.ingest.options import IngestOptions
from apps.ingest.request_ids import RequestIds
from apps.ingest.responses import Reply
from apps.refusals.buffer import RefusalBuffer, process_refusals
from apps.refusals.refusal import HIDDEN, Face, key_end, refusal
from apps.tenancy.permissions import Permission

Headers: TypeAlias = Mapping[bytes, bytes]

PREFIXES = ("/v1/checkpoint/", "/v1/http/runs/", "/v0/runs/")

_CHECKPOINT = re.compile(r"/v1/(?:checkpoint|http/runs)/([^/]+)/async")
_STATE = re.compile(r"/v0/runs/([^/]+)/(actions|batch)")

# 409 and 410 tell an SDK that its run went on without it: part of the protocol, nobody's mistake.
_MISTAKES = frozenset({400, 401, 403, 413, 415})

_APPS = frozenset({CredentialKind.SIGNING_KEY, CredentialKind.NONE})
_NEEDS_SIGNING_KEY = "Steps are reported with a signing key"


class SdkStateApp:
    """Without a `resolver` there are no keys but those of the options."""

    def __init__(
        self,
        options: IngestOptions,
        engine: Engine,
        otherwise: ASGIApp,
        refusals: RefusalBuffer = process_refusals,
        resolver: CredentialResolver | None = None,
    ) -> None:
        self._options = options
        self._refusals = refusals
        self._resolver = resolver or configured_resolver(options)
        self._engine = engine
        self._otherwise = otherwise
        self._request_ids = RequestIds()
        self._server_kind = (b"x-inngest-server-kind", options.server_kind.encode())
        self._saving: set[asyncio.Task[Reply]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        checkpoint = _CHECKPOINT.fullmatch(scope["path"]) if scope["method"] == "POST" else None
        state = _STATE.fullmatch(scope["path"]) if scope["method"] == "GET" else None
        asked = checkpoint or state
        if not asked:
            await self._otherwise(scope, receive, send)
            return
        headers = dict(scope["headers"])
        request_id = self._request_ids.begin(headers)
        try:
            reply = await self._reply(scope, asked, headers, receive)
        except Disconnected:
            return
        except (RedisUnavailable, DirectoryUnavailable):
            reply = responses.public_error(503, "run state is not reachable at the moment")
        if reply.status in _MISTAKES:
            self._note(scope, asked, headers, reply)
        common = [self._server_kind, request_id, *origin_headers(headers.get(b"origin"))]
        await responses.send_reply(send, reply, common)

    def _note(self, scope: Scope, asked: re.Match[str], headers: Headers, reply: Reply) -> None:
        noted = refusal(
            Face.SDK,
            method=scope["method"],
            path=f"{asked.string[: asked.start(1)]}{HIDDEN}{asked.string[asked.end(1) :]}",
            status=reply.status,
            error=reply.error,
            env_id=reply.env_id,
        )
        self._refusals.note(noted, key_end(_bearer(headers)) if reply.status == 401 else "")

    async def _reply(self, scope: Scope, asked: re.Match[str], headers: Headers, receive: Receive) -> Reply:
        run_id = asked[1]
        use = CHECKPOINT if scope["method"] == "POST" else RUN_STATE
        caller = await self._caller(scope, headers, use)
        if isinstance(caller, Refused):
            if caller.status == 401:
                return responses.public_error(401, "Authentication failed")
            return responses.call_refusal(caller)
        env_id = await self._environment(caller, run_id)
        if use is CHECKPOINT:
            reply = await self._checkpoint(env_id, run_id, headers, receive)
        else:
            reply = await self._state(env_id, run_id, asked[2])
        return reply._replace(env_id=caller.env_id) if reply.error else reply

    async def _caller(self, scope: Scope, headers: Headers, use: Use) -> Caller | Refused:
        """Only an app reports results of steps, and an app has a signing key."""
        caller = await self._resolver.bearer(
            _bearer(headers),
            use=use,
            permission=Permission.DATA_READ,
            env_name=environment_name(scope, headers),
            ip=client_ip(scope),
        )
        if isinstance(caller, Refused) or use is not CHECKPOINT or caller.kind in _APPS:
            return caller
        return Refused(403, Code.FORBIDDEN, _NEEDS_SIGNING_KEY, caller.environment_id)

    async def _environment(self, caller: Caller, run_id: str) -> str:
        """The environment in which the run is looked for. With a key of branches SDKs do not say here which
        branch they are of: it is the run's, if the key covers that."""
        if not caller.is_branch_parent:
            return caller.env_id
        owner = await self._engine.run_environment(run_id)
        if owner and await self._resolver.covers(caller, uuid.UUID(owner)):
            return owner
        return caller.env_id

    async def _checkpoint(self, env_id: str, run_id: str, headers: Headers, receive: Receive) -> Reply:
        try:
            body = await read_body(headers, receive, self._options.max_body_bytes)
        except BodyError as exc:
            return responses.public_error(exc.status, str(exc))
        # A client that gives up must not interrupt a checkpoint that has been accepted (spec 04, 1.7).
        saving = asyncio.ensure_future(self._save(env_id, run_id, body))
        self._saving.add(saving)
        saving.add_done_callback(self._saving.discard)
        return await asyncio.shield(saving)

    async def _save(self, env_id: str, run_id: str, body: bytes) -> Reply:
        try:
            await save_checkpoint(self._engine.queue, env_id, run_id, body)
        except CheckpointRefused as exc:
            if not exc.names_run:
                return responses.public_error(exc.status, str(exc))
            return _refusal(exc.status, str(exc), run_id)
        return Reply(200)

    async def _state(self, env_id: str, run_id: str, part: str) -> Reply:
        if not is_ulid(run_id):
            return responses.public_error(400, "The run ID specified is invalid")
        if await self._engine.is_live(env_id, run_id):
            read = self._engine.run_actions if part == "actions" else self._engine.run_batch
            body = await read(run_id)
            if body is not None:
                return Reply(200, body)
        return responses.public_error(410, f"runtime state is no longer available for runID: {run_id}")


def _refusal(status: int, error: str, run_id: str) -> Reply:
    body = orjson.dumps({"error": error, "data": {"run_id": run_id}, "status": status})
    return Reply(status, body, error=error)


def _bearer(headers: Headers) -> str:
    return bearer_token(headers.get(b"authorization", b"").decode("latin-1"))
