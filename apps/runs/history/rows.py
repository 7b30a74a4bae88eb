"""Rows of the history tables, in column order, and how two records of the same thing merge.

The rules here are those of the conflict clauses in `tables.py`: a batch is merged in Python first,
then with what is stored, and both must agree for any order and any repetition of records.
"""

from functools import lru_cache
from uuid import UUID

import msgspec

from apps.runs.choices import FIRST_STEP_OUTCOME, FIRST_TERMINAL_RUN_STATUS, RunStatus, StepStatus

NIL_UUID = "0" * 32


@lru_cache(maxsize=4096)
def uuid_hex(text: str) -> str:
    """The form that both databases take. Raises ValueError."""
    return UUID(text).hex


def clean_text(text: str) -> str:
    """PostgreSQL stores no NUL characters."""
    return text.replace("\x00", "\ufffd") if "\x00" in text else text


def payload_text(raw: bytes) -> str:
    return clean_text(raw.decode("utf-8", "replace"))


class RunRow(msgspec.Struct, gc=False):
    run_id: str
    account_id: str = NIL_UUID
    environment_id: str = NIL_UUID
    app_id: str = NIL_UUID
    function_id: str = NIL_UUID
    function_version: int = 0
    status: int = int(RunStatus.UNKNOWN)
    queued_at: int = 0
    scheduled_at: int | None = None
    started_at: int | None = None
    ended_at: int | None = None
    schedule_type: str = ""
    event_name: str = ""
    cron: str = ""
    original_run_id: str = ""
    skip_reason: str = ""
    skip_existing_run_id: str = ""
    flow: str = ""
    cancel_reason: str = ""
    has_output: bool = False
    version: int = 0

    @property
    def has_ended(self) -> bool:
        return self.status >= FIRST_TERMINAL_RUN_STATUS

    def advance(self, status: int) -> bool:
        """Take `status` unless the run has ended; False when it had."""
        if self.has_ended:
            return False
        self.status = max(self.status, status)
        return True


class StepRow(msgspec.Struct, gc=False):
    run_id: str
    step_id: str
    attempt: int
    op: str
    status: int
    name: str = ""
    queued_at: int | None = None
    started_at: int | None = None
    ended_at: int | None = None
    max_attempts: int | None = None
    info: str = ""

    @property
    def is_open(self) -> bool:
        return self.status < StepStatus.CANCELLED

    def merge(self, other: "StepRow") -> None:
        """Take in a record of the same attempt that was read later."""
        holds = self.status >= FIRST_STEP_OUTCOME or other.status <= self.status
        first, second = (self, other) if holds else (other, self)
        self.info = merge_info(second.info, first.info)
        self.name, self.op = first.name or second.name, first.op or second.op
        self.queued_at = _first_known(first.queued_at, second.queued_at)
        self.started_at = _first_known(first.started_at, second.started_at)
        self.ended_at = _first_known(first.ended_at, second.ended_at)
        self.max_attempts = _first_known(first.max_attempts, second.max_attempts)
        if self.status < FIRST_STEP_OUTCOME:
            self.status = max(self.status, other.status)


class StepPayloadRow(msgspec.Struct, gc=False):
    run_id: str
    step_id: str
    attempt: int
    output: str | None
    error: str | None
    input: str | None

    def merge(self, other: "StepPayloadRow") -> None:
        self.output = self.output if self.output is not None else other.output
        self.error = self.error if self.error is not None else other.error
        self.input = self.input if self.input is not None else other.input


class EventRow(msgspec.Struct, gc=False):
    key: str
    environment_id: str
    account_id: str
    internal_id: str
    external_id: str
    name: str
    ts: int
    received_at: int
    is_internal: bool
    source: str
    context: str
    origin: str
    origin_id: str | None


class OutcomeRow(msgspec.Struct, gc=False):
    key: str
    environment_id: str
    internal_id: str
    handled_at: int
    run_ids: str
    resumed: str
    cancelled: str
    skipped: str
    failed: str


def _first_known(first: int | None, second: int | None) -> int | None:
    return first if first is not None else second


_object_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])


def merge_info(base: str, over: str) -> str:
    """The keys of both JSON objects; those of `over` win."""
    if not base or not over:
        return over or base
    merged = {**_object_decoder.decode(base), **_object_decoder.decode(over)}
    return msgspec.json.encode(merged).decode()


def info_text(raw: bytes) -> str:
    """A step's details as stored. Raises msgspec.DecodeError unless they are a JSON object."""
    if not raw:
        return ""
    _object_decoder.decode(raw)
    return raw.decode().replace("\\u0000", "\\ufffd")
