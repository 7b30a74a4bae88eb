"""Steps of a delivery that need no I/O but a script: for the event path, and for delivering again."""

from collections.abc import Sequence
from typing import Final

from apps.engine.event_stream import EventContext, EventEntry, Sender
from apps.engine.protocol.events import AcceptedEvent
from apps.webhooks.attempt import Attempt, Rejected
from apps.webhooks.bodies import BodyInvalid, Parsed, parsed_body
from apps.webhooks.choices import Outcome
from apps.webhooks.runtime.messages import Call, Ending, Function, Result
from apps.webhooks.runtime.pool import PoolBusy, PoolUnavailable
from apps.webhooks.scripts import (
    Answer,
    ResultInvalid,
    emitted_events,
    response_of,
    script_call,
    thrown_message,
)

POOL_FAILURES: Final = (PoolBusy, PoolUnavailable)
SOURCE: Final = "webhook"
DENIED: Final = "The filter of the webhook does not let the event name through"

_RETRY_SECONDS: Final = 2


def read_body(attempt: Attempt) -> Parsed:
    """Raises Rejected."""
    try:
        return parsed_body(attempt.incoming.content_type, attempt.incoming.body)
    except BodyInvalid as invalid:
        raise Rejected(400, Outcome.INVALID, str(invalid)) from None


def call_of(attempt: Attempt, parsed: Parsed, function: Function) -> Call:
    """The script finds the headers that hold the webhook's own secret hidden."""
    config = attempt.config
    source = config.respond if function == Function.RESPOND else config.transform
    incoming = attempt.incoming.without(config.verification.secret_headers)
    return script_call(source, incoming, parsed, function=function)


def pool_rejection(problem: Exception) -> Rejected:
    """Of a call that was not made."""
    if isinstance(problem, PoolBusy) and problem.is_own_fault:
        text = "Too many webhook deliveries of this organisation at a time"
        return Rejected(429, Outcome.BUSY, text, _RETRY_SECONDS)
    return Rejected(503, Outcome.BUSY, "Webhook scripts cannot be run at the moment", _RETRY_SECONDS)


def answer_of(attempt: Attempt, result: Result) -> Answer | None:
    """Raises Rejected."""
    value = _value_of(attempt, result)
    try:
        return response_of(value)
    except ResultInvalid as invalid:
        raise _failed(str(invalid)) from None


def events_of(attempt: Attempt, result: Result, max_bytes: int) -> list[AcceptedEvent]:
    """All events of the result, checked. Raises Rejected."""
    value = _value_of(attempt, result)
    received_ms = attempt.incoming.received_ms
    try:
        return emitted_events(value, meta=attempt.meta, received_ms=received_ms, max_bytes=max_bytes)
    except ResultInvalid as invalid:
        raise _failed(str(invalid)) from None


def let_through(attempt: Attempt, events: list[AcceptedEvent]) -> tuple[list[AcceptedEvent], list[int]]:
    """The events that the filter allows, and the positions of the others. Raises Rejected if none is."""
    denied = [n for n, event in enumerate(events) if not attempt.config.filter.allows_event(event.name)]
    if events and len(denied) == len(events):
        raise Rejected(403, Outcome.FILTERED, DENIED)
    gone = set(denied)
    return [event for n, event in enumerate(events) if n not in gone], denied


def stream_entries(
    attempt: Attempt, events: Sequence[AcceptedEvent], trace_parent: str = ""
) -> list[EventEntry]:
    environment, account = str(attempt.environment_id), str(attempt.account_id)
    sender = f"{Sender.WEBHOOK}:{attempt.config.id}"
    return [
        EventEntry(
            event.internal_id,
            environment,
            account,
            event.name,
            event.body,
            EventContext(source=SOURCE, remember=event.has_own_id, trace_parent=trace_parent),
            sender=sender,
        )
        for event in events
    ]


def _value_of(attempt: Attempt, result: Result) -> str:
    attempt.duration_ms += result.duration_ms
    if result.ending != Ending.OK:
        raise _failed(thrown_message(result))
    return result.value


def _failed(reason: str) -> Rejected:
    return Rejected(400, Outcome.FAILED, f"Webhook transform failed: {reason}"[:600])
