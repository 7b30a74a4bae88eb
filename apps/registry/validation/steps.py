"""The single step entry of a function: its URL and its retries (spec 01 4.6, Steps)."""

from typing import NamedTuple
from urllib.parse import urlsplit

from apps.registry.validation.fields import Fields
from apps.registry.validation.limits import DEFAULT_RETRIES, MAX_RETRIES
from apps.registry.validation.problems import Problems

_SCHEMES = ("http", "https", "ws", "wss")


class Step(NamedTuple):
    id: str = "step"
    url: str = ""
    retries: int = DEFAULT_RETRIES


def read_step(fields: Fields, problems: Problems) -> Step:
    steps = fields.child("steps")
    entries = steps.entries() if steps else []
    if steps is None or len(entries) != 1:
        problems.add("Functions must contain one step")
        return Step()
    [(key, value)] = entries
    step = Fields(value, steps.child_path(key))
    if not step.text("name").strip():
        problems.add("A step name is required")
    return Step(step.text("id") or "step", _read_url(step, problems), _read_retries(fields, step))


def _read_url(step: Fields, problems: Problems) -> str:
    runtime = step.child("runtime")
    url = runtime.text("url") if runtime else ""
    scheme, has_host = _split(url)
    if scheme not in _SCHEMES:
        problems.add(f"Non-supported step schema: {scheme}")
    elif not has_host:
        problems.add(f"Invalid step URL: {url}")
    return url


def _split(url: str) -> tuple[str, bool]:
    """The lower-case scheme, and whether the rest names a host and a usable port."""
    try:
        parts = urlsplit(url)
        return parts.scheme, bool(parts.hostname) and parts.port != 0
    except ValueError:
        return url.partition(":")[0].lower(), False


def _read_retries(function: Fields, step: Fields) -> int:
    """Retries after the first attempt: the step's, else the function's (Go sends both), else 4."""
    retries = step.child("retries")
    default = function.integer("retries", DEFAULT_RETRIES)
    attempts = retries.integer("attempts", default) if retries else default
    return min(max(attempts, 0), MAX_RETRIES)
