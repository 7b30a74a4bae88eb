"""What a process remembers of credentials: callers for at most 10 s, unknown secrets for 5 s.

Keyed by a hash of the secret, so that none is in memory for longer than its request. Safe to use from any
thread: entries are immutable, and each step is one operation on a dictionary.
"""

import hashlib
import os
from time import monotonic
from typing import Final, NamedTuple
from uuid import UUID

from apps.credentials.caller import Caller, Credential, Refused

FRESH_SECONDS: Final = 10.0
UNKNOWN_SECONDS: Final = 5.0
# How long, while the database is away and changes are still heard of, a caller who was known stays known.
STALE_SECONDS: Final = 3600.0
MAX_ENTRIES: Final = 20_000

Key = tuple[bytes, str, str]

_process_key = os.urandom(32)


class Entry(NamedTuple):
    """`known_at` is when it was looked up, `fresh_at` when it last counted as new, both as `time.monotonic`;
    `ends_at` is Unix time, or infinity."""

    result: Caller | Refused
    credential: Credential
    known_at: float
    fresh_at: float
    ends_at: float


def hasher(face: bytes) -> "hashlib.blake2b":
    """For `digest`. `face` says where a secret is presented: an event key is no bearer token."""
    return hashlib.blake2b(key=_process_key, digest_size=24, person=face)


def digest(presented: str, of_face: "hashlib.blake2b") -> bytes:
    hashed = of_face.copy()
    hashed.update(presented.encode(errors="replace"))
    return hashed.digest()


class CredentialCache:
    """`epoch` rises with each change that was heard of: what was looked up before it may be outdated."""

    def __init__(self) -> None:
        self._entries: dict[Key, Entry] = {}
        self._unknown: dict[bytes, float] = {}
        self.epoch = 0
        self.may_be_stale = False

    def fresh(self, key: Key) -> Entry | None:
        entry = self._entries.get(key)
        if entry is None or monotonic() - entry.fresh_at > FRESH_SECONDS:
            return None
        return entry

    def stale(self, key: Key) -> Entry | None:
        """An older entry, for when nothing can be looked up, which is not tried again while it is fresh; none
        where changes may have been missed."""
        entry = self._entries.get(key) if self.may_be_stale else None
        now = monotonic()
        if entry is None or now - entry.known_at > STALE_SECONDS:
            return None
        self._entries[key] = entry = entry._replace(fresh_at=now)
        return entry

    def has_known(self, key: Key) -> bool:
        """Whether the secret led somewhere before, however long ago."""
        return key in self._entries

    def is_unknown(self, secret: bytes) -> bool:
        noted_at = self._unknown.get(secret)
        return noted_at is not None and monotonic() - noted_at <= UNKNOWN_SECONDS

    def put(
        self, key: Key, result: Caller | Refused, credential: Credential, ends_at: float, epoch: int
    ) -> None:
        """Unless a change was heard of since `epoch`, when the look-up began."""
        if epoch == self.epoch:
            _make_room(self._entries)
            now = monotonic()
            self._entries[key] = Entry(result, credential, now, now, ends_at)

    def put_unknown(self, secret: bytes, epoch: int) -> None:
        if epoch == self.epoch:
            _make_room(self._unknown)
            self._unknown[secret] = monotonic()

    def forget_account(self, account_id: UUID) -> None:
        """Forget what leads to the account, and which secrets are unknown: one of them may be new."""
        self.epoch += 1
        self._unknown.clear()
        for key, entry in list(self._entries.items()):
            if entry.credential.account_id == account_id:
                self._entries.pop(key, None)

    def forget_all(self) -> None:
        self.epoch += 1
        self._unknown.clear()
        self._entries.clear()


def _make_room(entries: dict[Key, Entry] | dict[bytes, float]) -> None:
    """Drop the oldest half: rare, and cheaper than to note each use."""
    if len(entries) < MAX_ENTRIES:
        return
    for key in list(entries)[: MAX_ENTRIES // 2]:
        entries.pop(key, None)  # type: ignore[call-overload]
