"""What one event meets on its way to a run: rate limit, batch, debounce, singleton, priority, key queue."""

import math
from typing import Any

import msgspec

from apps.engine.flow.keys import KeyReader
from apps.engine.flow.leaves import find_leaf
from apps.engine.flow.policy import FlowPolicy
from apps.engine.functions import FunctionSpec

_GCRA_BURST_SHARE = 10


class Rate(msgspec.Struct, omit_defaults=True):
    """`burst` is given in gcra mode only: admissions at once beyond the first."""

    bucket: str
    limit: int
    period: int
    burst: int | None = None


class Debounced(msgspec.Struct):
    """The event `event` (internal id) that occurred at `ts`; `context` is that of the entry it becomes."""

    bucket: str
    ts: int
    period: int
    timeout: int
    event: str
    name: str
    context: str
    correlation: str


class Batched(msgspec.Struct, omit_defaults=True):
    """`batch` is the id of a batch that this event opens; `once` remembers an id that may come again."""

    bucket: str
    size: int
    timeout: int
    batch: str
    event: str
    name: str
    context: str
    correlation: str
    once: str | None = None


class Flow(msgspec.Struct, omit_defaults=True):
    """The argument `flow` of the Lua function `schedule`; what is absent does not apply."""

    leaf: str = ""
    kv: str = ""
    gates: str = ""
    shown: str = ""
    rate: Rate | None = None
    debounce: Debounced | None = None
    batch: Batched | None = None
    lock: str = ""
    lock_mode: str = ""
    collected: bool = False


_encoder = msgspec.msgpack.Encoder()
_NO_FLOW = Flow()


def encode_flow(flow: Flow | None) -> bytes:
    return b"" if flow is None or flow == _NO_FLOW else _encoder.encode(flow)


def needs_flow(spec: FunctionSpec) -> bool:
    """Whether a run of the function meets any flow control beside its own plain limit."""
    return bool(
        spec.rate_limit or spec.debounce or spec.batch or spec.singleton or spec.throttle or spec.priority
        or spec.run_concurrency or any(rule.key for rule in spec.concurrency)
    )  # fmt: skip


def rate_of(spec: FunctionSpec, reader: KeyReader, policy: FlowPolicy) -> Rate | None:
    """The place that the function's rate limit asks for; None where it does not concern the event."""
    rule = spec.rate_limit
    if rule is None:
        return None
    bucket = spec.id
    if rule.key:
        key = reader.read("rate limit", rule.key)
        if not key.selects:
            return None
        bucket = f"{spec.id}:{key.digest}"
    burst = rule.limit // _GCRA_BURST_SHARE if policy.rate_limit_mode == "gcra" else None
    return Rate(bucket, rule.limit, rule.period_ms, burst)


def bucket_of(spec: FunctionSpec, setting: str, expression: str, reader: KeyReader) -> str:
    """The bucket of a debounce or batch: the function's, or that of a key value within it."""
    return f"{spec.id}:{reader.read(setting, expression).digest}" if expression else spec.id


def is_batched(spec: FunctionSpec, reader: KeyReader) -> bool:
    """Whether the event goes into a batch, or starts a run of its own (spec 02, 4.4)."""
    if spec.batch is None:
        return False
    return not spec.batch.condition or reader.evaluate("batch if", spec.batch.condition) is True


def lock_of(spec: FunctionSpec, reader: KeyReader) -> str:
    """The lock of a singleton; empty where the event is not one's."""
    if spec.singleton is None:
        return ""
    if not spec.singleton.key:
        return spec.id
    key = reader.read("singleton", spec.singleton.key)
    return f"{spec.id}:{key.digest}" if key.selects else ""


def priority_ms(spec: FunctionSpec, reader: KeyReader, policy: FlowPolicy) -> int:
    """How far the run is moved ahead in its queue (spec 02, 4.5); 0 for what is no number."""
    if not spec.priority:
        return 0
    return _seconds(reader.evaluate("priority", spec.priority), policy.priority_seconds) * 1000


def _seconds(value: Any, bound: int) -> int:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and not math.isnan(value)
    return int(max(-bound, min(bound, value))) if is_number else 0


def plan_queueing(flow: Flow, spec: FunctionSpec, reader: KeyReader, policy: FlowPolicy) -> int:
    """What every run meets, also a repeated one: singleton and key queue. Returns its priority in ms."""
    flow.lock = lock_of(spec, reader)
    flow.lock_mode = spec.singleton.mode if spec.singleton and flow.lock else ""
    ahead = priority_ms(spec, reader, policy)
    leaf = find_leaf(spec, reader)
    if leaf is not None:
        flow.leaf, flow.kv, flow.gates = leaf
    flow.shown = shown_keys(reader)
    return ahead


def shown_keys(reader: KeyReader) -> str:
    """The keys for people, as JSON: [[setting, expression, value], ...]; empty where there are none."""
    return msgspec.json.encode(reader.shown).decode() if reader.shown else ""
