"""What flow control made of a run: the values of its keys, its priority, and keys that could not be read."""

from dataclasses import dataclass
from typing import Final

import msgspec

from apps.dashboard.presenters.durations import period_text

_SETTINGS: Final = {
    "batch": "Batch",
    "concurrency": "Concurrency",
    "debounce": "Debounce",
    "rate limit": "Rate limit",
    "run concurrency": "Runs in progress",
    "singleton": "Singleton",
    "throttle": "Throttle",
}


@dataclass(frozen=True, slots=True)
class FlowKey:
    """`setting` has a key `expression`, which was `value` for the run's first event."""

    setting: str
    expression: str
    value: str


@dataclass(frozen=True, slots=True)
class FlowView:
    """`priority` is a sentence; what is empty does not apply."""

    keys: list[FlowKey]
    priority: str
    problems: list[str]


class _Stored(msgspec.Struct):
    """As `apps.engine.new_run.NewRun` writes it."""

    keys: list[tuple[str, str, str]] = []
    priority_seconds: int = 0
    problems: list[str] = []


def flow_view(raw: str) -> FlowView | None:
    """From `Run.flow`; None where there is nothing to tell."""
    if not raw:
        return None
    stored = msgspec.json.decode(raw, type=_Stored)
    keys = [FlowKey(_SETTINGS.get(setting, setting), *rest) for setting, *rest in stored.keys]
    return FlowView(keys, _priority(stored.priority_seconds), stored.problems)


def _priority(seconds: int) -> str:
    if not seconds:
        return ""
    return f"{period_text(abs(seconds) * 1000)} {'ahead' if seconds > 0 else 'back'}"
