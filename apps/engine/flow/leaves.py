"""Key queues: which leaf of its function a run waits in (12_leaves.lua; spec 02, 3.2, 3.7 and 4.1)."""

from typing import NamedTuple

from apps.engine.flow.keys import KeyReader, digest
from apps.engine.functions import ConcurrencyLimit, FunctionSpec

_MOST_KEYS = 2
_NONE = "-"


class Leaf(NamedTuple):
    """`name` of the node, `version` of the function's keys, `gates` as the Lua library packs them."""

    name: str
    version: str
    gates: str


def concurrency_keys(spec: FunctionSpec) -> list[ConcurrencyLimit]:
    """The limits that have a key; one of 0 counts as absent."""
    return [rule for rule in spec.concurrency if rule.key and rule.limit > 0][:_MOST_KEYS]


def key_version(spec: FunctionSpec) -> str:
    """Changes whenever queued runs may belong to other leaves; empty for a function that needs none."""
    parts = [f"c {rule.scope} {rule.key}" for rule in concurrency_keys(spec)]
    if spec.throttle:
        parts.append(f"t {spec.throttle.key}")
    parts += [f"r {rule.key}" for rule in spec.run_concurrency[:_MOST_KEYS]]
    return digest(*parts)[:12] if parts else ""


def find_leaf(spec: FunctionSpec, reader: KeyReader) -> Leaf | None:
    """The leaf of a run whose first event `reader` reads; None where its function has no key queues.

    Runs of other keys have another leaf, also where their values and so their buckets agree.
    """
    version = key_version(spec)
    if not version:
        return None
    gates = [*_filled(_concurrency_buckets(spec, reader)), _throttle_bucket(spec, reader)]
    packed = " ".join([*gates, *_filled(_run_buckets(spec, reader))])
    return Leaf(f"k:{spec.id}:{digest(version, packed)}", version, packed)


def _filled(buckets: list[str]) -> list[str]:
    return buckets + [_NONE] * (_MOST_KEYS - len(buckets))


def _concurrency_buckets(spec: FunctionSpec, reader: KeyReader) -> list[str]:
    return [_concurrency_bucket(spec, rule, reader) for rule in concurrency_keys(spec)]


def _concurrency_bucket(spec: FunctionSpec, rule: ConcurrencyLimit, reader: KeyReader) -> str:
    """Functions that agree in scope and value share a bucket; two keys of one function do not."""
    key = reader.read("concurrency", rule.key)
    if rule.scope == "account":
        return f"c:a:{spec.account_id}:{key.digest}"
    if rule.scope == "env":
        return f"c:e:{spec.env_id}:{key.digest}"
    return f"c:f:{spec.id}:{digest(rule.key, key.text)}"


def _throttle_bucket(spec: FunctionSpec, reader: KeyReader) -> str:
    if spec.throttle is None:
        return _NONE
    key = spec.throttle.key
    return f"t:{spec.id}:{reader.read('throttle', key).digest}" if key else f"t:{spec.id}:"


def _run_buckets(spec: FunctionSpec, reader: KeyReader) -> list[str]:
    return [
        f"r:{spec.id}:{number}:" + (reader.read("run concurrency", rule.key).digest if rule.key else "")
        for number, rule in enumerate(spec.run_concurrency[:_MOST_KEYS])
    ]
