"""Triggers: events by name or wildcard, and crons (spec 01 4.6, spec 02 1.2 and 8.1)."""

from apps.engine import cron
from apps.engine.functions import Trigger
from apps.registry.validation.fields import Fields
from apps.registry.validation.limits import MAX_NAME_BYTES, MAX_TRIGGERS, MINUTE_MS, SECOND_MS
from apps.registry.validation.problems import Problems, duration_ms

_MIN_JITTER_MS = SECOND_MS
_MAX_JITTER_MS = 5 * MINUTE_MS


def read_triggers(fields: Fields, problems: Problems) -> tuple[Trigger, ...]:
    entries = fields.children("triggers")
    if len(entries) > MAX_TRIGGERS:
        problems.add(f"This function exceeds the max number of triggers: {MAX_TRIGGERS}")
    triggers = tuple(_read_trigger(entry, problems) for entry in entries)
    _check_duplicates(triggers, problems)
    return triggers


def _read_trigger(entry: Fields, problems: Problems) -> Trigger:
    event, schedule = entry.text("event"), entry.text("cron")
    if event and schedule:
        problems.add("A trigger cannot have both an event and a cron trigger")
    elif schedule:
        return Trigger(cron=_check_cron(schedule, problems), jitter_ms=_read_jitter(entry, problems))
    elif event:
        return Trigger(event=_check_name(event, problems), expression=_read_condition(entry, problems))
    else:
        problems.add(_missing_source(entry))
    return Trigger()


def _missing_source(entry: Fields) -> str:
    if "cron" in entry:
        return "'' isn't a valid cron schedule"
    if "event" in entry:
        return "An event trigger must specify an event name"
    return "A trigger must supply an event name or a cron schedule"


def _check_cron(source: str, problems: Problems) -> str:
    if error := cron.validate(source):
        problems.add(error)
    return source


def _check_name(event: str, problems: Problems) -> str:
    if len(event.encode()) > MAX_NAME_BYTES:
        problems.add(f"event name is too long. maximum length is {MAX_NAME_BYTES} characters")
    return event


def _read_condition(entry: Fields, problems: Problems) -> str:
    prefix = f"invalid trigger expression on '{entry.text('event')}'"
    return problems.check_expression(entry.text("expression"), prefix)


def _read_jitter(entry: Fields, problems: Problems) -> int:
    text = entry.text("jitter")
    if not text:
        return 0
    jitter_ms = duration_ms(text.removeprefix("-"))
    if jitter_ms is None:
        problems.add(f"'{text}' isn't a valid jitter duration")
        return 0
    if jitter_ms and text.startswith("-"):
        problems.add("cron jitter must be greater than or equal to zero")
    elif 0 < jitter_ms < _MIN_JITTER_MS:
        problems.add("cron jitter must be at least 1s")
    elif jitter_ms > _MAX_JITTER_MS:
        problems.add("cron jitter must be less than or equal to 5m0s")
    return jitter_ms


def _check_duplicates(triggers: tuple[Trigger, ...], problems: Problems) -> None:
    """The same event or cron twice, whatever the expressions and jitters say."""
    seen: set[Trigger] = set()
    for trigger in triggers:
        key = Trigger(event=trigger.event, cron=trigger.cron)
        if key in seen and trigger.event:
            problems.add(f"duplicate trigger event: {trigger.event}")
        elif key in seen and trigger.cron:
            problems.add(f"duplicate cron expression: {trigger.cron}")
        seen.add(key)
