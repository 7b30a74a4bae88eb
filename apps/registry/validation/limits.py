"""Limits of function configurations (spec 01 16, spec 02 9.3)."""

from typing import Final

import msgspec

SECOND_MS: Final = 1_000
MINUTE_MS: Final = 60 * SECOND_MS
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS

MAX_NAME_BYTES: Final = 255
MAX_URL_BYTES: Final = 2_000
MAX_TRIGGERS: Final = 10
MAX_CANCELLATIONS: Final = 5
MAX_STEP_CONCURRENCY: Final = 2
MAX_RUN_CONCURRENCY: Final = 1
DEFAULT_RETRIES: Final = 4
MAX_RETRIES: Final = 20
IDEMPOTENCY_PERIOD_MS: Final = DAY_MS


class Limits(msgspec.Struct, frozen=True):
    """The limits that an operator may change."""

    body_bytes: int = 5 * 1024 * 1024
    functions: int = 1_000
    batch_size: int = 1_000
    batch_timeout_ms: int = MINUTE_MS


DEFAULT_LIMITS: Final = Limits()
