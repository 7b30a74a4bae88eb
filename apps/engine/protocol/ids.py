"""ULIDs: of runs, events and requests (spec 01, 1.2), and those that a sender's seed fixes (5.5)."""

import base64
import hashlib
import os
import random
import re
import threading
from typing import NamedTuple

from ulid_transform import bytes_to_ulid, ulid_to_bytes

_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}")
_MAX_TIME_MS = 2**48 - 1
_LOW_BITS = 40
_HIGH_LIMIT = 1 << _LOW_BITS
_HIGHEST_SEQUENCE = 2**16 - 1

# A clock that is set back by less keeps the order of ids; after more, ids follow the new time.
_CLOCK_STEP_MS = 1000

# Digits and base64 of ten bytes: nothing longer is worth decoding.
_MAX_SEED_LENGTH = 64


class UlidGenerator:
    """Makes ULIDs that rise within this generator, from any number of threads.

    Ids of one millisecond rise in the upper 40 random bits; the lower 40 are drawn anew for each, so
    that two processes which happen to count in step still never make the same id.
    """

    def __init__(self, entropy: random.Random | None = None) -> None:
        self._entropy = entropy or random.Random()
        self._lock = threading.Lock()
        self._time_ms = -1
        self._high = 0

    def next(self, ms: int) -> str:
        """A new id of `ms`, or of a later moment where an order has to be kept."""
        with self._lock:
            self._advance(min(max(ms, 0), _MAX_TIME_MS))
            low = self._entropy.getrandbits(_LOW_BITS)
            value = (((self._time_ms << _LOW_BITS) | self._high) << _LOW_BITS) | low
        return bytes_to_ulid(value.to_bytes(16, "big"))

    def _advance(self, ms: int) -> None:
        if not self._time_ms - _CLOCK_STEP_MS < ms <= self._time_ms:
            self._restart(ms)
        elif self._high + 1 < _HIGH_LIMIT:
            self._high += 1
        else:
            self._restart(self._time_ms + 1)

    def _restart(self, ms: int) -> None:
        self._time_ms = min(ms, _MAX_TIME_MS)
        self._high = self._entropy.getrandbits(_LOW_BITS)

    def reset_after_fork(self) -> None:
        """Forget the parent's state: a child that kept it would repeat its ids."""
        self._lock = threading.Lock()
        self._entropy.seed()
        self._time_ms = -1


_generator = UlidGenerator()
os.register_at_fork(after_in_child=_generator.reset_after_fork)


def new_ulid(ms: int) -> str:
    """A new ULID of the moment `ms`, above all that this process made for the same moment."""
    return _generator.next(ms)


def entry_ulid(stream_id: str, purpose: str) -> str:
    """The id that a stream entry gives to one purpose: each time the same, and in the order of entries."""
    ms, _, sequence = stream_id.partition("-")
    order = int(ms).to_bytes(6, "big") + min(int(sequence), _HIGHEST_SEQUENCE).to_bytes(2, "big")
    return bytes_to_ulid(order + hashlib.sha256(f"{stream_id}|{purpose}".encode()).digest()[:8])


def is_ulid(text: str) -> bool:
    """Whether the text is a ULID, in either letter case."""
    return len(text) == 26 and _ULID.fullmatch(text) is not None


def ulid_time_ms(ulid: str) -> int:
    """The moment in the id. Raises ValueError where the text is not a ULID."""
    if not is_ulid(ulid):
        raise ValueError(f"not a ULID: {ulid[:40]!r}")
    return int.from_bytes(ulid_to_bytes(ulid.upper())[:6], "big")


class Seed(NamedTuple):
    """The value of `X-Inngest-Event-Id-Seed`: a moment and ten bytes of entropy."""

    time_ms: int
    entropy: bytes


def parse_seed(text: str) -> Seed | None:
    """The seed in a header `<millis>,<base64 of 10 bytes>`; None for a malformed one."""
    millis, comma, encoded = text.partition(",")
    if not comma or len(text) > _MAX_SEED_LENGTH or not (millis.isascii() and millis.isdigit()):
        return None
    try:
        entropy = base64.b64decode(encoded, validate=True)
    except ValueError:
        return None
    if len(entropy) != 10 or int(millis) > _MAX_TIME_MS:
        return None
    return Seed(int(millis), entropy)


def seeded_ulid(seed: Seed, position: int) -> str:
    """The id that the seed gives to the event at 1-based `position` (0: the invoke endpoint)."""
    low = (int.from_bytes(seed.entropy[6:], "big") + position) & 0xFFFFFFFF
    return bytes_to_ulid(seed.time_ms.to_bytes(6, "big") + seed.entropy[:6] + low.to_bytes(4, "big"))
