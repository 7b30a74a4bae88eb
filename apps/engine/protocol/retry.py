"""When a failed attempt is tried again (spec 02, 6.5 and 6.6; spec 01, 7.5)."""

import random

from apps.engine.protocol.dates import parse_date_ms

_BACKOFF_SECONDS = (15, 30, 60, 120, 300, 600, 1200, 2400, 3600, 7200)
_MAX_JITTER_MS = 30_000

_MIN_DELAY_MS = 1_000
_MAX_DELAY_MS = 24 * 3_600_000
_MAX_SECONDS_DIGITS = 7


def backoff_ms(attempt: int, rng: random.Random, fixed_interval_s: int = 0) -> int:
    """The delay in ms after the failed `attempt` (0-based), with up to 30 s of jitter.

    A `fixed_interval_s` above 0 replaces the table and has no jitter.
    """
    if fixed_interval_s > 0:
        return fixed_interval_s * 1000
    base = _BACKOFF_SECONDS[min(attempt, len(_BACKOFF_SECONDS) - 1)]
    return base * 1000 + rng.randint(0, _MAX_JITTER_MS)


def retry_after_ms(header: str, now_ms: int) -> int | None:
    """The moment (ms since the epoch) that a Retry-After header asks for; None where it says nothing.

    Seconds of at most 7 characters, else a date. Within 1 s to 24 h from now, and apart from that
    never earlier than asked.
    """
    text = header.strip()
    asked = _asked_ms(text, now_ms)
    if asked is None:
        return None
    return min(max(asked, now_ms + _MIN_DELAY_MS), now_ms + _MAX_DELAY_MS)


def _asked_ms(text: str, now_ms: int) -> int | None:
    if len(text) > _MAX_SECONDS_DIGITS:
        return parse_date_ms(text)
    if text.isascii() and text.isdigit():
        return now_ms + int(text) * 1000
    return None
