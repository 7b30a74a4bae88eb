"""Functions as pages show them: triggers, and what was configured away from the defaults."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.urls import reverse

from apps.dashboard.presenters.durations import period_text
from apps.engine.functions import ConcurrencyLimit, FunctionSpec, Trigger, decode_spec
from apps.registry.models import Function

_SCOPES: Final = {"fn": "", "env": " in the environment", "account": " in the account"}


@dataclass(frozen=True, slots=True)
class TriggerView:
    icon: str
    text: str
    title: str
    expression: str = ""


@dataclass(frozen=True, slots=True)
class ConfigItem:
    """One line of the configuration: `Retries` `4`."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class FunctionView:
    name: str
    slug: str
    app_name: str
    version: int
    is_archived: bool
    is_paused: bool
    is_drained: bool
    url: str
    invoke_url: str
    pause_url: str
    resume_url: str
    drain_url: str
    undrain_url: str
    runs_url: str
    served_at: str
    triggers: tuple[TriggerView, ...]
    config: tuple[ConfigItem, ...]

    @property
    def summary(self) -> tuple[ConfigItem, ...]:
        """What a list shows of the configuration: not the retries, which every function has."""
        return tuple(item for item in self.config if item.title != "Retries")


def function_view(function: Function) -> FunctionView:
    """Of a function that was loaded with its configuration."""
    spec = decode_spec(function.spec.encode())
    return FunctionView(
        name=function.name,
        slug=function.slug,
        app_name=spec.app_name,
        version=function.version,
        is_archived=function.archived_at is not None,
        is_paused=function.paused_at is not None,
        is_drained=function.drained_at is not None,
        url=reverse("dashboard:function", args=[function.slug]),
        invoke_url=reverse("dashboard:function-invoke", args=[function.slug]),
        pause_url=reverse("dashboard:function-pause", args=[function.slug]),
        resume_url=reverse("dashboard:function-resume", args=[function.slug]),
        drain_url=reverse("dashboard:function-drain", args=[function.slug]),
        undrain_url=reverse("dashboard:function-undrain", args=[function.slug]),
        runs_url=reverse("dashboard:runs", query={"function": function.slug}),
        served_at=spec.url,
        triggers=tuple(_trigger(trigger) for trigger in spec.triggers),
        config=tuple(ConfigItem(title, text) for title, text in _config(spec)),
    )


def _trigger(trigger: Trigger) -> TriggerView:
    if trigger.cron:
        return TriggerView("calendar-clock", trigger.cron, f"Schedule {trigger.cron}")
    title = f"{trigger.event} if {trigger.expression}" if trigger.expression else f"Event {trigger.event}"
    return TriggerView("zap", trigger.event, title, trigger.expression)


def _config(spec: FunctionSpec) -> Iterator[tuple[str, str]]:
    yield "Retries", str(spec.retries)
    for limit in spec.concurrency:
        yield "Concurrency", _concurrency(limit)
    yield from _rates(spec)
    if spec.priority:
        yield "Priority", spec.priority
    for rule in spec.cancel:
        yield "Cancel on", rule.event + (f" if {rule.expression}" if rule.expression else "")
    yield from _timeouts(spec)


def _concurrency(limit: ConcurrencyLimit) -> str:
    return f"{limit.limit} at once" + _SCOPES[limit.scope] + _per(limit.key)


def _rates(spec: FunctionSpec) -> Iterator[tuple[str, str]]:
    if spec.throttle:
        yield "Throttle", _rate(spec.throttle.limit, spec.throttle.period_ms, spec.throttle.key)
    if spec.rate_limit:
        yield "Rate limit", _rate(spec.rate_limit.limit, spec.rate_limit.period_ms, spec.rate_limit.key)
    if spec.debounce:
        yield "Debounce", f"{period_text(spec.debounce.period_ms)}{_per(spec.debounce.key)}"
    if spec.batch:
        wait = period_text(spec.batch.timeout_ms)
        yield "Batch", f"up to {spec.batch.max_size} within {wait}{_per(spec.batch.key)}"
    if spec.singleton:
        yield "Singleton", f"{spec.singleton.mode}{_per(spec.singleton.key)}"


def _timeouts(spec: FunctionSpec) -> Iterator[tuple[str, str]]:
    if spec.start_timeout_ms:
        yield "Must start within", period_text(spec.start_timeout_ms)
    if spec.finish_timeout_ms:
        yield "Must finish within", period_text(spec.finish_timeout_ms)


def _rate(limit: int, period_ms: int, key: str) -> str:
    return f"{limit} per {period_text(period_ms)}{_per(key)}"


def _per(key: str) -> str:
    return f" per {key}" if key else ""
