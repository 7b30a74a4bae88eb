"""What started a run (spec 03, 6.9): its events, batch or cron tick."""

from dataclasses import dataclass

from apps.api.graphql.context import RequestContext
from apps.engine.protocol.ids import ulid_time_ms
from apps.events.models import Event
from apps.runs.models import Run


@dataclass(frozen=True, slots=True)
class Trigger:
    """Resolves `RunTraceTrigger`; `timestamp` in ms is that of the earliest event id."""

    event_name: str | None
    ids: list[str]
    payloads: list[str]
    timestamp: int
    is_batch: bool
    cron: str | None
    batch_id: None = None


def events_of(run: Run, context: RequestContext) -> list[Event]:
    """The triggering events that are stored, in order."""
    ids = context.run_event_ids.get(run.run_id) or []
    return [event for event in map(context.events.get, ids) if event is not None]


def is_batch(run: Run) -> bool:
    return run.schedule_type == "Batch"


def single_event_name(run: Run) -> str | None:
    """The name of the only triggering event; None of a batch and of a cron tick."""
    return None if is_batch(run) or run.cron else run.event_name or None


def trigger_of(run: Run, context: RequestContext) -> Trigger:
    ids = context.run_event_ids.get(run.run_id) or []
    events = events_of(run, context)
    bodies = [context.event_bodies.get(event.key) for event in events]
    return Trigger(
        event_name=None if run.cron else _common_name(events),
        ids=ids,
        payloads=[body for body in bodies if body is not None],
        timestamp=min((ulid_time_ms(id_) for id_ in ids), default=run.queued_at),
        is_batch=is_batch(run),
        cron=run.cron or None,
    )


def _common_name(events: list[Event]) -> str | None:
    names = {event.name for event in events}
    return names.pop() if len(names) == 1 else None
