"""Filters of lists, read from the URL. Unknown values are ignored: an old link still shows a list."""

from dataclasses import dataclass
from typing import Final

from django.http import QueryDict

from apps.dashboard.presenters.statuses import STATUS_FILTERS
from apps.engine import clock
from apps.runs.choices import RunStatus

_MAX_TEXT: Final = 256


@dataclass(frozen=True, slots=True)
class RangeChoice:
    """`span_ms` 0: any time."""

    value: str
    label: str
    span_ms: int


RANGES: Final = (
    RangeChoice("", "Any time", 0),
    RangeChoice("10m", "Last 10 minutes", 600_000),
    RangeChoice("1h", "Last hour", 3_600_000),
    RangeChoice("24h", "Last 24 hours", 86_400_000),
    RangeChoice("7d", "Last 7 days", 7 * 86_400_000),
    RangeChoice("30d", "Last 30 days", 30 * 86_400_000),
)


def _range(value: str) -> RangeChoice:
    return next((choice for choice in RANGES if choice.value == value), RANGES[0])


def _since_ms(choice: RangeChoice) -> int | None:
    return clock.now_ms() - choice.span_ms if choice.span_ms else None


@dataclass(frozen=True, slots=True)
class RunFilters:
    """`function` is a slug, `app` the name of an app, both empty for all."""

    statuses: tuple[str, ...]
    function: str
    app: str
    range: str

    @property
    def is_active(self) -> bool:
        return bool(self.statuses or self.function or self.app or self.range)

    def status_codes(self) -> list[RunStatus]:
        return [code for item in STATUS_FILTERS if item.value in self.statuses for code in item.statuses]

    def since_ms(self) -> int | None:
        return _since_ms(_range(self.range))

    def query(self) -> dict[str, str | list[str]]:
        """The URL's query of these filters, without what is empty."""
        values: dict[str, str | list[str]] = {
            "status": list(self.statuses),
            "function": self.function,
            "app": self.app,
            "range": self.range,
        }
        return {key: value for key, value in values.items() if value}


def run_filters(query: QueryDict) -> RunFilters:
    chosen = query.getlist("status")
    return RunFilters(
        statuses=tuple(item.value for item in STATUS_FILTERS if item.value in chosen),
        function=query.get("function", "")[:_MAX_TEXT],
        app=query.get("app", "")[:_MAX_TEXT],
        range=_range(query.get("range", "")).value,
    )


@dataclass(frozen=True, slots=True)
class EventFilters:
    name: str
    range: str
    shows_internal: bool

    @property
    def is_active(self) -> bool:
        return bool(self.name or self.range)

    def since_ms(self) -> int | None:
        return _since_ms(_range(self.range))

    def query(self) -> dict[str, str | list[str]]:
        values = {"name": self.name, "range": self.range, "internal": "1" if self.shows_internal else ""}
        return {key: value for key, value in values.items() if value}


def event_filters(query: QueryDict) -> EventFilters:
    return EventFilters(
        name=query.get("name", "").strip()[:_MAX_TEXT],
        range=_range(query.get("range", "")).value,
        shows_internal=query.get("internal") == "1",
    )
