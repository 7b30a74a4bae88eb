"""The history tables as the writer fills them: columns, keys, and what happens to a row that exists.

The conflict clauses are the merge rules of `rows.py` in SQL that SQLite and PostgreSQL share; the
one place where they differ is `_merged_json`.
"""

from dataclasses import dataclass

from apps.runs.choices import FIRST_STEP_OUTCOME, FIRST_TERMINAL_RUN_STATUS, StepStatus
from apps.runs.history.rows import NIL_UUID, EventRow, OutcomeRow, RunRow, StepPayloadRow, StepRow


@dataclass(frozen=True)
class Upsert:
    """Insert rows of `columns` into `table`; `action` is taken for a row whose `key` exists."""

    name: str
    table: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    action: str = "DO NOTHING"

    def conflict(self) -> str:
        return f"ON CONFLICT ({', '.join(self.key)}) {self.action}"


_RUN = "runs_run"
_RUN_ENDED = f"{_RUN}.status >= {FIRST_TERMINAL_RUN_STATUS}"
_RUN_IDENTITY = (
    "account_id",
    "environment_id",
    "app_id",
    "function_id",
    "function_version",
    "queued_at",
    "scheduled_at",
    "schedule_type",
    "event_name",
    "cron",
    "original_run_id",
    "skip_reason",
    "skip_existing_run_id",
    "flow",
)
_RUN_PROGRESS = f"""
    status = CASE WHEN NOT {_RUN_ENDED} AND excluded.status > {_RUN}.status
                  THEN excluded.status ELSE {_RUN}.status END,
    started_at = COALESCE({_RUN}.started_at, excluded.started_at),
    ended_at = CASE WHEN {_RUN_ENDED} THEN {_RUN}.ended_at ELSE excluded.ended_at END,
    cancel_reason = CASE WHEN {_RUN_ENDED} THEN {_RUN}.cancel_reason ELSE excluded.cancel_reason END,
    has_output = CASE WHEN {_RUN_ENDED} THEN {_RUN}.has_output ELSE excluded.has_output END,
    version = excluded.version"""
# A repeat that says nothing new must not touch the indexes, nor the version that pages compare.
_RUN_CHANGES = f"""
    ({_RUN}.started_at IS NULL AND excluded.started_at IS NOT NULL)
    OR (NOT {_RUN_ENDED} AND excluded.status > {_RUN}.status)"""


def _run_upsert(name: str, action: str) -> Upsert:
    return Upsert(name, _RUN, RunRow.__struct_fields__, ("run_id",), f"DO UPDATE SET {action}")


RUN_SCHEDULED = _run_upsert(
    "run_scheduled",
    ", ".join(f"{column} = excluded.{column}" for column in _RUN_IDENTITY)
    + f", {_RUN_PROGRESS} WHERE {_RUN}.environment_id = '{NIL_UUID}' OR {_RUN_CHANGES}",
)
RUN_PROGRESSED = _run_upsert("run_progressed", f"{_RUN_PROGRESS} WHERE {_RUN_CHANGES}")
RUN_TOUCHED = _run_upsert("run_touched", "version = excluded.version")

RUN_OUTPUT = Upsert("run_output", "runs_runpayload", ("run_id", "output"), ("run_id",))
RUN_EVENT = Upsert("run_event", "runs_runevent", ("run_id", "position", "event_id"), ("run_id", "position"))

_STEP_KEY = ("run_id", "step_id", "attempt")
_STEP = "runs_stepattempt"
_STEP_ENDED = f"{_STEP}.status >= {FIRST_STEP_OUTCOME}"
# The old row has the say when the attempt has its outcome, and when an open one is reported again.
_OLD_HOLDS = f"({_STEP_ENDED} OR excluded.status <= {_STEP}.status)"


def _merged_json(base: str, over: str, vendor: str) -> str:
    if vendor == "postgresql":
        return f"CAST(CAST({base} AS jsonb) || CAST({over} AS jsonb) AS text)"
    return f"json_patch({base}, {over})"


def _latest(column: str, empty: str = "NULL") -> str:
    old, new = f"NULLIF({_STEP}.{column}, {empty})", f"NULLIF(excluded.{column}, {empty})"
    if empty == "NULL":
        old, new = f"{_STEP}.{column}", f"excluded.{column}"
    chosen = f"CASE WHEN {_OLD_HOLDS} THEN COALESCE({old}, {new}) ELSE COALESCE({new}, {old}) END"
    return f"{column} = {chosen if empty == 'NULL' else f'COALESCE({chosen}, {empty})'}"


def _latest_info(vendor: str) -> str:
    old, new = f"{_STEP}.info", "excluded.info"
    return f"""info = CASE WHEN {new} = '' THEN {old} WHEN {old} = '' THEN {new}
        WHEN {_OLD_HOLDS} THEN {_merged_json(new, old, vendor)}
        ELSE {_merged_json(old, new, vendor)} END"""


def step_upsert(vendor: str) -> Upsert:
    times = ("queued_at", "started_at", "ended_at", "max_attempts")
    changes = [_latest(column) for column in times]
    changes += [_latest("name", "''"), _latest("op", "''"), _latest_info(vendor)]
    changes.append(
        f"status = CASE WHEN NOT {_STEP_ENDED} AND excluded.status > {_STEP}.status"
        f" THEN excluded.status ELSE {_STEP}.status END"
    )
    return Upsert("step", _STEP, StepRow.__struct_fields__, _STEP_KEY, f"DO UPDATE SET {', '.join(changes)}")


STEP_PAYLOAD = Upsert(
    "step_payload",
    "runs_steppayload",
    StepPayloadRow.__struct_fields__,
    _STEP_KEY,
    "DO UPDATE SET "
    + ", ".join(
        f"{column} = COALESCE(runs_steppayload.{column}, excluded.{column})"
        for column in ("output", "error", "input")
    ),
)

EVENT = Upsert("event", "events_event", EventRow.__struct_fields__, ("key",))
EVENT_BODY = Upsert("event_body", "events_eventpayload", ("key", "body"), ("key",))
OUTCOME = Upsert("outcome", "events_eventoutcome", OutcomeRow.__struct_fields__, ("key",))

# Steps that are open when their run has ended; also those whose record comes after the run's end.
_CLOSE_STEPS = f"""
    UPDATE {_STEP} SET status = {int(StepStatus.CANCELLED)},
        ended_at = (SELECT ended_at FROM {_RUN} WHERE {_RUN}.run_id = {_STEP}.run_id)
    WHERE run_id {{match}} AND status < {int(StepStatus.CANCELLED)} AND EXISTS (
        SELECT 1 FROM {_RUN} WHERE {_RUN}.run_id = {_STEP}.run_id AND {_RUN_ENDED})"""  # noqa: S608
CLOSE_STEPS_OF_RUN = _CLOSE_STEPS.format(match="= ?")
CLOSE_STEPS_OF_RUNS = _CLOSE_STEPS.format(match="= ANY(%s)")
