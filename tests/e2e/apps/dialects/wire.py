"""What every SDK sees of the wire: call requests, replies, step ids, keys and signatures.

Written from spec 01, for the doubles of SDKs that no registry serves here (see tests/e2e/go and
tests/e2e/java). Shares no code with the platform, so that the two check each other.
"""

import hashlib
import hmac
import json
import re
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SIGNATURE_HEADER = "X-Inngest-Signature"
_MAX_AGE_SECONDS = 300
_PREFIX = re.compile(r"^signkey-\w+-")

Json = dict[str, Any]


@dataclass
class Reply:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class CallRequest:
    """One POST of the server. `target` is the hashed id of a targeted step, empty for a discovery."""

    slug: str
    target: str
    body: Json

    @property
    def context(self) -> Json:
        ctx: Json = self.body["ctx"]
        return ctx

    @property
    def event(self) -> Json:
        event: Json = self.body["event"]
        return event

    @property
    def memos(self) -> Json:
        memos: Json = self.body["steps"]
        return memos

    @property
    def key(self) -> str:
        """`event.data.key`, by which the tests tell their calls apart."""
        return str(self.event["data"].get("key", ""))

    @property
    def is_last_attempt(self) -> bool:
        return bool(self.context["attempt"] + 1 >= self.context["max_attempts"])


class Interrupt(BaseException):
    """Ends a replay: the ops to answer with. Not an Exception, so user code cannot catch it."""

    def __init__(self, ops: list[Json], headers: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self.ops = ops
        self.headers = dict(headers or {})


class StepFailure(Exception):
    """What a failed step, invoke or request raises in user code."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(error["message"])
        self.name = str(error["name"])
        self.message = str(error["message"])


class StepIds:
    """SHA-1 of the user's id; of `id:1`, `id:2`, ... where it is used again."""

    def __init__(self) -> None:
        self._uses: Counter[str] = Counter()

    def next(self, user_id: str) -> str:
        index = self._uses[user_id]
        self._uses[user_id] += 1
        return hashlib.sha1(f"{user_id}:{index}".encode() if index else user_id.encode()).hexdigest()


def result_of(memo: Any) -> Any:
    """The value of a `data` memo; raises StepFailure for an `error` memo."""
    if memo is None:
        return None
    if "error" in memo:
        raise StepFailure(memo["error"])
    return memo["data"]


def compact(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def hashed_key(signing_key: str) -> str:
    """The bearer token of most calls: the prefix and the SHA-256 of the hex-decoded key."""
    bare = _PREFIX.sub("", signing_key)
    prefix = signing_key[: len(signing_key) - len(bare)]
    return prefix + hashlib.sha256(bytes.fromhex(bare)).hexdigest()


def sign(signing_key: str, body: bytes, at: int | None = None) -> str:
    seconds = int(time.time()) if at is None else at
    secret = _PREFIX.sub("", signing_key).encode()
    digest = hmac.new(secret, body + str(seconds).encode(), hashlib.sha256).hexdigest()
    return f"t={seconds}&s={digest}"


def is_signed(signing_key: str, header: str, body: bytes) -> bool:
    """Whether the header signs exactly these bytes, at most five minutes ago."""
    found = re.fullmatch(r"t=(\d+)&s=[0-9a-f]{64}", header)
    if found is None or time.time() - int(found[1]) > _MAX_AGE_SECONDS:
        return False
    return hmac.compare_digest(header, sign(signing_key, body, int(found[1])))
