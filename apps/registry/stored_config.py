"""The stored form of a function's configuration, as APIs show it (spec 03 4.8 and 7.2)."""

from collections.abc import Mapping

import orjson

from apps.registry.models import Function
from apps.registry.validation.fields import Fields

# As registered, apart from absent values; the rest is derived.
_SECTIONS = (
    "priority",
    "rateLimit",
    "batchEvents",
    "debounce",
    "throttle",
    "singleton",
    "cancel",
    "timeouts",
)
_SCOPES = {"fn": "Fn", "env": "Env", "account": "Account"}


def stored_config(function: Function) -> dict[str, object]:
    """`{id, fv, name, slug, ..., triggers, steps: [{id, name, uri, retries?}]}`; needs `config`."""
    fields = Fields(orjson.loads(function.config), "")
    config: dict[str, object] = {
        "id": str(function.id),
        "fv": function.version,
        "name": function.name,
        "slug": function.slug,
        "triggers": _present(fields.value("triggers")) or [],
    }
    sections = {name: _present(fields.value(name)) for name in _SECTIONS} | _idempotency(fields)
    config |= {name: value for name, value in sections.items() if value}
    if concurrency := _concurrency(fields.value("concurrency")):
        config["concurrency"] = concurrency
    config["steps"] = [_step(function, fields)]
    return config


def _present(value: object) -> object:
    """The value without the members that are null."""
    if isinstance(value, dict):
        return {key: _present(item) for key, item in value.items() if item is not None}
    return [_present(item) for item in value] if isinstance(value, list) else value


def _idempotency(fields: Fields) -> dict[str, object]:
    key = fields.text("idempotency")
    return {"rateLimit": {"limit": 1, "period": "24h", "key": key}} if key else {}


def _concurrency(value: object) -> object:
    """A list of limits, the one without a key first; the split form keeps its two lists."""
    if isinstance(value, dict) and "limit" not in value:
        split = {key.lower(): _limits(item) for key, item in value.items()}
        return {key: limits for key, limits in split.items() if limits}
    return _limits(value)


def _limits(value: object) -> list[dict[str, object]]:
    items = value if isinstance(value, list) else [value]
    limits = [_limit(item) for item in items if item is not None]
    return sorted(limits, key=lambda limit: "key" in limit)


def _limit(item: object) -> dict[str, object]:
    given: Mapping[str, object] = item if isinstance(item, dict) else {"limit": item}
    scope = str(given.get("scope") or "fn").lower()
    limit = {"limit": given.get("limit") or 0, "key": given.get("key"), "scope": _SCOPES.get(scope, "Fn")}
    return {name: value for name, value in limit.items() if value is not None and value != ""}


def _step(function: Function, fields: Fields) -> dict[str, object]:
    """The only step; its retries only where they were set."""
    steps = fields.child("steps")
    [(key, value)] = steps.entries() if steps else [("step", {})]
    step = Fields(value, key)
    retries = step.child("retries")
    attempts = retries.value("attempts") if retries else fields.value("retries")
    shown = {
        "id": step.text("id") or "step",
        "name": step.text("name"),
        "uri": function.url,
        "retries": attempts,
    }
    return {name: item for name, item in shown.items() if item is not None}
