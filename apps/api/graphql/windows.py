"""Filter arguments of lists as windows of the reads."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from apps.api.graphql.reads.run_pages import Order, RunsWindow
from apps.api.graphql.times import epoch_ms
from apps.engine import clock
from apps.events.selectors import EventFilter, Internal

Arguments = Mapping[str, Any]  # values of an input type, already checked by the schema

_COLUMNS = {"QUEUED_AT": "queued_at", "STARTED_AT": "started_at", "ENDED_AT": "ended_at"}


def runs_window(arguments: Arguments) -> RunsWindow:
    return RunsWindow(
        time_from=epoch_ms(arguments["time_from"]),
        time_until=_until(arguments.get("until")),
        time_field=_COLUMNS[_member(arguments.get("time_field") or "QUEUED_AT")],
        statuses=[_member(status) for status in arguments.get("status") or []],
        function_ids=arguments.get("function_ids") or [],
        app_ids=arguments.get("app_ids") or [],
        only_deferred=bool(arguments.get("is_deferred")),
    )


def runs_orders(terms: Sequence[Arguments]) -> list[Order]:
    """A column that is named again has no further say."""
    orders: dict[str, Order] = {}
    for term in terms:
        column = _COLUMNS[_member(term["field"])]
        orders.setdefault(column, Order(column, descending=_member(term["direction"]) == "DESC"))
    return list(orders.values())


def events_filter(arguments: Arguments) -> EventFilter:
    return EventFilter(
        received_from=epoch_ms(arguments["received_from"]),
        received_until=_until(arguments.get("until")),
        names=arguments.get("event_names") or [],
        internal=Internal.ALL if arguments["include_internal_events"] else Internal.NONE,
    )


def _until(moment: datetime | None) -> int:
    return clock.now_ms() if moment is None else epoch_ms(moment)


def _member(value: object) -> str:
    """Enum arguments arrive as members, their defaults as names."""
    return str(getattr(value, "value", value))
