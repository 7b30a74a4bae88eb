"""Functions as the engine sees them: the normalised form of what an SDK registers (spec 01, 4.6).

The registry validates and stores configurations; it publishes each as one `FunctionSpec`, and the
engine's processes know nothing else of them.
"""

import msgspec


class Trigger(msgspec.Struct, frozen=True, omit_defaults=True):
    """One trigger: `event` (name or wildcard) with an optional `expression`, or a five-field `cron`."""

    event: str = ""
    expression: str = ""
    cron: str = ""
    jitter_ms: int = 0


class CancelRule(msgspec.Struct, frozen=True, omit_defaults=True):
    """Cancels live runs on `event` while `expression` (over event, async) is true; None: 365 days."""

    event: str
    expression: str = ""
    timeout: str = ""


class ConcurrencyLimit(msgspec.Struct, frozen=True, omit_defaults=True):
    """`limit` concurrent steps per key value in `scope` (fn, env, account); no key: the whole scope."""

    limit: int
    key: str = ""
    scope: str = "fn"


class RunConcurrencyLimit(msgspec.Struct, frozen=True, omit_defaults=True):
    limit: int
    key: str = ""


class Throttle(msgspec.Struct, frozen=True, omit_defaults=True):
    limit: int
    period_ms: int
    burst: int = 1
    key: str = ""


class RateLimit(msgspec.Struct, frozen=True, omit_defaults=True):
    limit: int
    period_ms: int
    key: str = ""


class Debounce(msgspec.Struct, frozen=True, omit_defaults=True):
    period_ms: int
    key: str = ""
    timeout_ms: int = 0


class Batch(msgspec.Struct, frozen=True, omit_defaults=True):
    max_size: int
    timeout_ms: int
    key: str = ""
    condition: str = ""


class Singleton(msgspec.Struct, frozen=True, omit_defaults=True):
    mode: str = "skip"
    key: str = ""


class FunctionSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """A function's current configuration; `version` rises with each change of it.

    `url` is the registered step URL with its query; `step_id` the id of its single step entry;
    `retries` is already resolved and clamped to 0..20; the `*_timeout_ms` are 0 when absent. An archived
    function starts no runs; those it has go on. So does a drained one, whose matches are recorded as
    skipped runs; a paused one makes no requests either (spec 02, 12.3 and 12.5).
    """

    id: str
    slug: str
    name: str
    app_id: str
    app_name: str
    env_id: str
    account_id: str
    version: int
    url: str
    step_id: str = "step"
    retries: int = 4
    triggers: tuple[Trigger, ...] = ()
    cancel: tuple[CancelRule, ...] = ()
    concurrency: tuple[ConcurrencyLimit, ...] = ()
    run_concurrency: tuple[RunConcurrencyLimit, ...] = ()
    throttle: Throttle | None = None
    rate_limit: RateLimit | None = None
    debounce: Debounce | None = None
    batch: Batch | None = None
    priority: str = ""
    singleton: Singleton | None = None
    start_timeout_ms: int = 0
    finish_timeout_ms: int = 0
    archived: bool = False
    paused: bool = False
    drained: bool = False

    @property
    def max_attempts(self) -> int:
        return self.retries + 1


def encode_spec(spec: FunctionSpec) -> bytes:
    return msgspec.json.encode(spec)


_decoder = msgspec.json.Decoder(FunctionSpec)


def decode_spec(raw: bytes) -> FunctionSpec:
    return _decoder.decode(raw)
