"""A function's settings as the API shows them (spec 03, 5.6 and 6.10): durations keep the text that the
SDK sent, all else is what the engine resolved."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from apps.api.graphql.reads.registry import Definition
from apps.engine.functions import ConcurrencyLimit, FunctionSpec

_SCOPES: Final = {"fn": "FUNCTION", "env": "ENVIRONMENT", "account": "ACCOUNT"}
_IDEMPOTENCY_PERIOD: Final = "24h"
_UNITS_OF_LONG_FORM: Final = (("h", 3_600_000), ("m", 60_000))


class Cancellation(NamedTuple):
    event: str
    timeout: str | None
    condition: str | None


class Retry(NamedTuple):
    value: int
    is_default: bool


class EventsBatch(NamedTuple):
    max_size: int
    timeout: str
    key: str | None


class ConcurrencyValue(NamedTuple):
    value: int
    is_plan_limit: bool


class Concurrency(NamedTuple):
    scope: str
    limit: ConcurrencyValue
    key: str | None


class Rate(NamedTuple):
    """A rate limit, or with `burst` a throttle."""

    limit: int
    period: str
    key: str | None
    burst: int = 1


class Debounce(NamedTuple):
    period: str
    key: str | None


class Singleton(NamedTuple):
    mode: str
    key: str | None


class Configuration(NamedTuple):
    cancellations: list[Cancellation]
    retries: Retry
    priority: str | None
    events_batch: EventsBatch | None
    concurrency: list[Concurrency]
    rate_limit: Rate | None
    debounce: Debounce | None
    throttle: Rate | None
    singleton: Singleton | None


NO_LIMIT: Final = Concurrency("ACCOUNT", ConcurrencyValue(-1, is_plan_limit=True), None)


def configuration(definition: Definition) -> Configuration:
    spec = definition.spec
    texts = _Registered(definition.registered)
    return Configuration(
        cancellations=[
            Cancellation(rule.event, rule.timeout or None, rule.expression or None) for rule in spec.cancel
        ],
        retries=Retry(spec.retries, is_default=not texts.has_retries()),
        priority=spec.priority or None,
        events_batch=_events_batch(spec, texts),
        concurrency=_concurrency(spec),
        rate_limit=_rate_limit(spec, texts),
        debounce=_debounce(spec, texts),
        throttle=_throttle(spec),
        singleton=_singleton(spec),
    )


def stored_config(function_id: str, version: int, definition: Definition) -> str:
    """JSON text of the stored configuration (spec 03, 4.8)."""
    sent = _Registered(definition.registered).fields
    spec = definition.spec
    head: dict[str, object] = {"id": function_id, "fv": version, "name": spec.name, "slug": spec.slug}
    settings = {
        key: value for key, value in sent.items() if key not in {*head, "steps"} and value is not None
    }
    step = {"id": spec.step_id, "name": spec.step_id, "uri": spec.url, "retries": spec.retries}
    return msgspec.json.encode({**head, **settings, "steps": [step]}).decode()


def long_form(milliseconds: int) -> str:
    """A duration as `1h0m0s`: hours and minutes from the largest that is not zero, then seconds."""
    rest, text = milliseconds, ""
    for unit, size in _UNITS_OF_LONG_FORM:
        count, rest = divmod(rest, size)
        if count or text:
            text += f"{count}{unit}"
    return f"{text}{rest / 1000:g}s"


class _Registered:
    """The configuration as it was sent, for what the engine's form does not keep."""

    def __init__(self, text: str) -> None:
        self.fields: dict[str, object] = msgspec.json.decode(text, type=dict[str, object])

    def text(self, setting: str, key: str, fallback_ms: int) -> str:
        value = _get(self.fields.get(setting), key)
        return value if isinstance(value, str) else long_form(fallback_ms)

    def has_retries(self) -> bool:
        if self.fields.get("retries") is not None:
            return True
        steps = self.fields.get("steps")
        entries = list(steps.values()) if isinstance(steps, dict) else []
        return any(_get(_get(entry, "retries"), "attempts") is not None for entry in entries)


def _get(value: object, key: str) -> object:
    return value.get(key) if isinstance(value, Mapping) else None


def _events_batch(spec: FunctionSpec, texts: _Registered) -> EventsBatch | None:
    batch = spec.batch
    if batch is None:
        return None
    timeout = texts.text("batchEvents", "timeout", batch.timeout_ms)
    return EventsBatch(batch.max_size, timeout, batch.key or None)


def _concurrency(spec: FunctionSpec) -> list[Concurrency]:
    """The function's own limit without a key comes first."""
    ordered = sorted(spec.concurrency, key=lambda limit: (limit.scope != "fn", bool(limit.key)))
    return [_concurrency_limit(limit) for limit in ordered] or [NO_LIMIT]


def _concurrency_limit(limit: ConcurrencyLimit) -> Concurrency:
    value = ConcurrencyValue(limit.limit, is_plan_limit=False)
    return Concurrency(_SCOPES[limit.scope], value, limit.key or None)


def _rate_limit(spec: FunctionSpec, texts: _Registered) -> Rate | None:
    """Idempotency is a rate limit of one in 24 hours, and takes the place of a configured one."""
    rate = spec.rate_limit
    if rate is None:
        return None
    by_key = texts.fields.get("idempotency")
    period = _IDEMPOTENCY_PERIOD if by_key else texts.text("rateLimit", "period", rate.period_ms)
    return Rate(rate.limit, period, rate.key or None)


def _debounce(spec: FunctionSpec, texts: _Registered) -> Debounce | None:
    debounce = spec.debounce
    if debounce is None:
        return None
    return Debounce(texts.text("debounce", "period", debounce.period_ms), debounce.key or None)


def _throttle(spec: FunctionSpec) -> Rate | None:
    throttle = spec.throttle
    if throttle is None:
        return None
    return Rate(throttle.limit, long_form(throttle.period_ms), throttle.key or None, throttle.burst)


def _singleton(spec: FunctionSpec) -> Singleton | None:
    singleton = spec.singleton
    return None if singleton is None else Singleton(singleton.mode.upper(), singleton.key or None)
