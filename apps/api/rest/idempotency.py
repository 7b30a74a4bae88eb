"""`Idempotency-Key` on calls that change something (spec 05, 1.14 step 12): the first answer is given again.

Remembered in Redis for 24 h, by credential, environment, method and path; the dictionary of keys is in
apps/engine/store/lua/00_keys.lua. Answers are encrypted, since that of a new webhook has its key.
"""

import hashlib
from typing import Final

import msgspec
from django.http import HttpRequest, HttpResponse

from apps.api.rest.errors import PublicError
from apps.credentials import secrets
from apps.credentials.caller import Caller
from apps.engine import bridge
from apps.engine.store.client import Argument, Reply

HEADER: Final = "Idempotency-Key"
MAX_LENGTH: Final = 255
_KEEP_SECONDS: Final = 24 * 3600
# What a request that never ends blocks its repetitions for.
_CLAIM_SECONDS: Final = 60


class Remembered(msgspec.Struct, array_like=True):
    """`status` is 0 while the first request is under way; `body` is encrypted."""

    request: str
    status: int = 0
    kind: str = ""
    body: str = ""


_decoder = msgspec.msgpack.Decoder(Remembered)


class Replay(Exception):
    """The answer is known."""

    def __init__(self, remembered: Remembered) -> None:
        super().__init__("answered before")
        self.remembered = remembered

    def response(self) -> HttpResponse:
        known = self.remembered
        answer = HttpResponse(secrets.decrypt(known.body), status=known.status, content_type=known.kind)
        answer["Idempotency-Replayed"] = "true"
        return answer


class Claim:
    """A request's right to be the first of its key."""

    def __init__(self, name: str, fingerprint: str) -> None:
        self._name = name
        self._fingerprint = fingerprint

    def take(self) -> None:
        """Raises Replay, and PublicError for another request's key or one that is under way."""
        value = msgspec.msgpack.encode(Remembered(self._fingerprint))
        if _execute("SET", self._name, value, "NX", "EX", _CLAIM_SECONDS) is not None:
            return
        raw = _execute("GET", self._name)
        known = _decoder.decode(raw) if raw else Remembered(self._fingerprint)
        if known.request != self._fingerprint:
            raise PublicError(409, "The key was used for another request", "idempotency_conflict")
        if not known.status:
            raise PublicError(409, "A request with this key is under way", "idempotency_conflict")
        raise Replay(known)

    def settle(self, answer: HttpResponse) -> None:
        """Remember the answer; what failed for the server's own reasons may be tried again."""
        if answer.status_code >= 500:
            self.drop()
            return
        kind = answer.headers.get("Content-Type", "")
        body = secrets.encrypt(answer.content.decode())
        known = Remembered(self._fingerprint, answer.status_code, kind, body)
        _execute("SET", self._name, msgspec.msgpack.encode(known), "EX", _KEEP_SECONDS)

    def drop(self) -> None:
        _execute("DEL", self._name)


def claim_of(request: HttpRequest, caller: Caller) -> Claim | None:
    """None without the header. Raises PublicError for one that is no key."""
    key = request.headers.get(HEADER, "")
    if not key:
        return None
    if len(key) > MAX_LENGTH:
        raise PublicError(400, f"{HEADER} has at most {MAX_LENGTH} characters")
    scope = (caller.kind, caller.credential_id, caller.env_id, request.method, request.path, key)
    name = hashlib.sha256(repr(scope).encode()).hexdigest()
    fingerprint = hashlib.sha256(request.META.get("QUERY_STRING", "").encode() + b"\n" + request.body)
    return Claim(f"idk:{caller.env_id}:{name}", fingerprint.hexdigest())


def _execute(command: str, name: str, *rest: Argument) -> Reply:
    return bridge.engine_call(
        lambda engine: engine.client.execute(command, f"{engine.keys.prefix}:{name}", *rest)
    )
