"""Throttle and rate limit (spec 02 4.1 and 4.2)."""

from apps.engine.functions import RateLimit, Throttle
from apps.engine.protocol.durations import DurationError, parse_duration_ms
from apps.registry.validation.fields import Fields, InvalidRequestError
from apps.registry.validation.limits import DAY_MS, IDEMPOTENCY_PERIOD_MS, SECOND_MS
from apps.registry.validation.problems import Problems

_MIN_THROTTLE_MS = SECOND_MS
_MAX_THROTTLE_MS = 7 * DAY_MS
_MAX_RATE_LIMIT_MS = DAY_MS


def read_throttle(fields: Fields, problems: Problems) -> Throttle | None:
    throttle = fields.child("throttle")
    if throttle is None:
        return None
    key = throttle.text("key")
    problems.check_expression(key, f"Invalid throttle key '{key}'")
    return Throttle(
        limit=max(throttle.integer("limit"), 1),
        period_ms=_throttle_period(throttle.text("period"), problems),
        burst=max(throttle.integer("burst", 1), 0),
        key=key,
    )


def _throttle_period(text: str, problems: Problems) -> int:
    """A text that is no duration refuses the whole request, as the protocol has it (spec 01 4.6)."""
    try:
        period_ms = parse_duration_ms(text)
    except DurationError:
        raise InvalidRequestError(f'time: invalid duration "{text[:100]}"') from None
    if period_ms < _MIN_THROTTLE_MS:
        problems.add(f"The throttle period of '{text}' is less than the min of: 1s")
    elif period_ms > _MAX_THROTTLE_MS:
        problems.add(f"The throttle period of '{text}' is greater than the max of: 168h0m0s")
    return period_ms


def read_rate_limit(fields: Fields, problems: Problems) -> RateLimit | None:
    """The rate limit; `idempotency` is one of 1 in 24 h and overrides an explicit one."""
    explicit = _read_explicit(fields, problems)
    key = fields.text("idempotency")
    if not key:
        return explicit
    problems.check_expression(key, "idempotency: key is invalid")
    return RateLimit(limit=1, period_ms=IDEMPOTENCY_PERIOD_MS, key=key)


def _read_explicit(fields: Fields, problems: Problems) -> RateLimit | None:
    rate_limit = fields.child("rateLimit")
    if rate_limit is None:
        return None
    limit, key = rate_limit.integer("limit"), rate_limit.text("key")
    if limit <= 0:
        problems.add("rateLimit: limit must be greater than 0")
    problems.check_expression(key, "rateLimit: key is invalid")
    return RateLimit(limit=limit, period_ms=_rate_limit_period(rate_limit.text("period"), problems), key=key)


def _rate_limit_period(text: str, problems: Problems) -> int:
    if not text:
        problems.add("rateLimit: period must be specified")
        return 0
    try:
        period_ms = parse_duration_ms(text)
    except DurationError as error:
        problems.add(f"rateLimit: failed to parse time duration: {error}")
        return 0
    if period_ms == 0:
        problems.add("rateLimit: period must be specified")
    elif period_ms > _MAX_RATE_LIMIT_MS:
        problems.add("rateLimit: period must be less than 24h0m0s")
    return period_ms
