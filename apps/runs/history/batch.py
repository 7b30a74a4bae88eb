"""Coalesces the entries of a read into one row per run, attempt and event before anything is written."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from apps.engine.event_stream import EventEntry, Sender, context_text
from apps.engine.records import (
    AnyRecord,
    EventHandled,
    RunEnded,
    RunScheduled,
    RunStarted,
    StepRecorded,
)
from apps.runs.choices import RunStatus, StepStatus
from apps.runs.history.rows import (
    EventRow,
    OutcomeRow,
    RunRow,
    StepPayloadRow,
    StepRow,
    clean_text,
    info_text,
    payload_text,
    uuid_hex,
)

_SENDERS = frozenset(Sender)

StepKey = tuple[str, str, int]

_RUN_END = {
    str(status.label): int(status) for status in (RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED)
}
_STEP = {str(status.label): int(status) for status in StepStatus}


class BadRecord(ValueError):
    """A record that can never be stored."""


class Batch:
    """Rows to write, by key. `shard` and stream id together name an event's row."""

    def __init__(self, shard: str) -> None:
        self._shard = shard
        self.runs: dict[str, RunRow] = {}
        self.scheduled: set[str] = set()
        self.progressed: set[str] = set()
        self.outputs: dict[str, str] = {}
        self.run_events: dict[tuple[str, int], str] = {}
        self.steps: dict[StepKey, StepRow] = {}
        self.step_payloads: dict[StepKey, StepPayloadRow] = {}
        self.events: dict[str, EventRow] = {}
        self.event_bodies: dict[str, str] = {}
        self.outcomes: dict[str, OutcomeRow] = {}

    def add_records(self, records: Sequence[AnyRecord]) -> None:
        """Raises BadRecord, with nothing of `records` taken in."""
        staged = [_FOLDS[type(record)](record) for record in records]
        for take_in in staged:
            take_in(self)

    def add_event(self, stream_id: str, entry: EventEntry) -> None:
        """Events that were held back have a row from when they came. Raises BadRecord."""
        if entry.context.is_held_back:
            return
        row = _event_row(f"{self._shard}:{stream_id}", stream_id, entry)
        self.events[row.key] = row
        self.event_bodies[row.key] = payload_text(entry.body)

    def run(self, run_id: str) -> RunRow:
        row = self.runs.get(run_id)
        if row is None:
            row = self.runs[run_id] = RunRow(run_id)
        return row

    def event_key(self, stream_id: str) -> str:
        return f"{self._shard}:{stream_id}"

    def runs_to_close(self) -> list[str]:
        """Runs whose open steps may have to be closed: those that ended, and those with open steps."""
        ended = {run_id for run_id in self.progressed if self.runs[run_id].has_ended}
        return sorted(ended | {row.run_id for row in self.steps.values() if row.is_open})


TakeIn = Callable[[Batch], None]


def _fold_scheduled(record: RunScheduled) -> TakeIn:
    ids = _uuids(record.account_id, record.env_id, record.app_id, record.function_id)

    def take_in(batch: Batch) -> None:
        row = batch.run(record.run_id)
        batch.scheduled.add(record.run_id)
        row.account_id, row.environment_id, row.app_id, row.function_id = ids
        _describe(row, record)
        if not record.skip_reason:
            row.advance(RunStatus.SCHEDULED)
        elif row.advance(RunStatus.SKIPPED):
            row.ended_at = record.queued_at
        for position, event_id in enumerate(record.event_ids):
            batch.run_events[(record.run_id, position)] = event_id

    return take_in


def _describe(row: RunRow, record: RunScheduled) -> None:
    row.function_version = record.function_version
    row.queued_at = record.queued_at
    row.scheduled_at = record.scheduled_at or None
    row.schedule_type = record.schedule_type
    row.event_name = clean_text(record.event_name)
    row.cron = clean_text(record.cron)
    row.original_run_id = record.original_run_id
    row.skip_reason = clean_text(record.skip_reason)
    row.skip_existing_run_id = record.skip_existing_run_id
    row.flow = payload_text(record.flow)


def _fold_started(record: RunStarted) -> TakeIn:
    def take_in(batch: Batch) -> None:
        row = batch.run(record.run_id)
        batch.progressed.add(record.run_id)
        row.advance(RunStatus.RUNNING)
        if row.started_at is None:
            row.started_at = record.started_at

    return take_in


def _fold_ended(record: RunEnded) -> TakeIn:
    status = _code(_RUN_END, record.status)

    def take_in(batch: Batch) -> None:
        row = batch.run(record.run_id)
        batch.progressed.add(record.run_id)
        if row.started_at is None and record.started_at:
            row.started_at = record.started_at
        if not row.advance(status):
            return
        row.ended_at = record.ended_at
        row.cancel_reason = clean_text(record.reason)
        if record.output:
            row.has_output = True
            batch.outputs[record.run_id] = payload_text(record.output)

    return take_in


def _fold_step(record: StepRecorded) -> TakeIn:
    key = (record.run_id, record.step_id, record.attempt)
    row = _step_row(record)

    def take_in(batch: Batch) -> None:
        batch.run(record.run_id)
        known = batch.steps.get(key)
        if known is None:
            batch.steps[key] = row
        else:
            known.merge(row)
        if record.output or record.error or record.input:
            _take_in_payload(batch, key, record)

    return take_in


def _step_row(record: StepRecorded) -> StepRow:
    try:
        info = info_text(record.info)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRecord(f"info of step {record.step_id}: {error}") from error
    return StepRow(
        record.run_id,
        record.step_id,
        record.attempt,
        record.op,
        _code(_STEP, record.status),
        clean_text(record.name),
        record.queued_at or None,
        record.started_at or None,
        record.ended_at or None,
        record.max_attempts or None,
        info,
    )


def _take_in_payload(batch: Batch, key: StepKey, record: StepRecorded) -> None:
    row = StepPayloadRow(*key, _optional(record.output), _optional(record.error), _optional(record.input))
    known = batch.step_payloads.get(key)
    if known is None:
        batch.step_payloads[key] = row
    else:
        known.merge(row)


def _optional(raw: bytes) -> str | None:
    return payload_text(raw) if raw else None


def _fold_handled(record: EventHandled) -> TakeIn:
    (environment_id,) = _uuids(record.env_id)

    def take_in(batch: Batch) -> None:
        key = batch.event_key(record.stream_id)
        lists = (record.run_ids, record.resumed, record.cancelled, record.skipped, record.failed)
        texts = [_json_text(values) for values in lists]
        row = OutcomeRow(key, environment_id, record.event_id, record.handled_at, *texts)
        batch.outcomes.setdefault(key, row)

    return take_in


def _json_text(values: Sequence[object]) -> str:
    return msgspec.json.encode(values).decode() if values else "[]"


_FOLDS: dict[type, Callable[[Any], TakeIn]] = {
    RunScheduled: _fold_scheduled,
    RunStarted: _fold_started,
    RunEnded: _fold_ended,
    StepRecorded: _fold_step,
    EventHandled: _fold_handled,
}


class _Head(msgspec.Struct):
    id: str = ""
    ts: int | float = 0


_LARGEST_INTEGER = 2**63
_head_decoder = msgspec.json.Decoder(_Head)


def _event_row(key: str, stream_id: str, entry: EventEntry) -> EventRow:
    received_at = int(stream_id.partition("-")[0])
    head = _head(entry)
    environment_id, account_id = _uuids(entry.env_id, entry.account_id)
    return EventRow(
        key,
        environment_id,
        account_id,
        entry.internal_id,
        clean_text(head.id) or entry.internal_id,
        clean_text(entry.name),
        _moment(head.ts) or received_at,
        received_at,
        entry.name.startswith("inngest/"),
        entry.context.source,
        context_text(entry.context),
        *_origin(entry.sender),
    )


@lru_cache
def _origin(sender: str) -> tuple[str, str | None]:
    """Kind and id; nothing of what is not ours to store."""
    kind, _, ident = sender.partition(":")
    if kind not in _SENDERS:
        return "", None
    try:
        return kind, uuid_hex(ident)
    except ValueError:
        return kind, None


def _head(entry: EventEntry) -> _Head:
    """An id or a time of another type than ours counts as absent. Raises BadRecord for what is not JSON."""
    try:
        return _head_decoder.decode(entry.body)
    except msgspec.ValidationError:
        return _Head()
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadRecord(f"body of event {entry.internal_id}: {error}") from error


def _moment(ts: int | float) -> int:
    """0 for what no column holds."""
    return int(ts) if abs(ts) < _LARGEST_INTEGER else 0


def _code(codes: dict[str, int], status: str) -> int:
    try:
        return codes[status]
    except KeyError:
        raise BadRecord(f"unknown status {status!r}") from None


def _uuids(*texts: str) -> list[str]:
    try:
        return [uuid_hex(text) for text in texts]
    except ValueError as error:
        raise BadRecord(str(error)) from error
