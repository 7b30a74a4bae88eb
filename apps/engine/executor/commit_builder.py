"""Collects what an answer does to a run: the commit's operations and the history it leaves."""

import msgspec

from apps.engine import ending
from apps.engine.event_stream import EventEntry
from apps.engine.functions import FunctionSpec
from apps.engine.protocol import dates, errors
from apps.engine.protocol.opcodes import Op
from apps.engine.records import AnyRecord, RunEnded, StepRecorded, encode_records
from apps.engine.store.client import Argument
from apps.engine.store.queue import Commit
from apps.engine.store.views import Item, RunState

# Memos above this many bytes in all fail the run (spec 02, 9.1).
MAX_STATE_BYTES = 32 * 1024 * 1024
MAX_STEPS = 1000

_encode_json = msgspec.json.Encoder().encode


class Dispatch(msgspec.Struct):
    """One request of an item: when it began and ended (ms), and the answer's status code."""

    started_at: int
    ended_at: int
    status_code: int = 0


class CommitBuilder:
    def __init__(self, item: Item, state: RunState, spec: FunctionSpec, dispatch: Dispatch) -> None:
        self.item = item
        self.state = state
        self.spec = spec
        self.dispatch = dispatch
        self.operations: list[Argument] = []
        self.records: list[AnyRecord] = []
        self.is_finished = False
        self.saved: list[tuple[str, bytes]] = []
        self._saved_bytes = 0
        self._requeue: list[Argument] = []

    @property
    def now(self) -> int:
        return self.dispatch.ended_at

    @property
    def is_requeued(self) -> bool:
        return bool(self._requeue)

    @property
    def is_last_attempt(self) -> bool:
        return self.item.attempt + 1 >= self.spec.max_attempts

    @property
    def only_saves(self) -> bool:
        """Whether the commit does nothing but save steps."""
        return len(self.operations) == 4 * len(self.saved) and not self._requeue

    @property
    def state_size(self) -> int:
        """Bytes of the run's state once everything saved so far is in it."""
        return self.state.size + self._saved_bytes

    def add(self, *operation: Argument) -> None:
        self.operations += operation

    def save(self, step_id: str, memo: bytes, race: bool) -> None:
        self.operations += ("S", step_id, memo, "1" if race else "0")
        self.saved.append((step_id, memo))
        self._saved_bytes += len(memo)

    def retry(self, due_at: int, *, counts: bool = True, payload: bytes = b"") -> None:
        """Dispatch this item again at `due_at`, unless the same answer ends the run."""
        if not self.is_finished:
            self._requeue = ["R", due_at, 1 if counts else 0, payload]

    def record_op(self, op: Op, status: str, *, attempt: int = 0, **fields: int | bytes) -> None:
        """Record a step as the op describes it; `fields` are those of StepRecorded."""
        info = op_info(op) | self._attempt_info(status)
        record = StepRecorded(
            run_id=self.item.run_id,
            step_id=op.id,
            attempt=attempt,
            op="StepRun" if op.op in _RUN_OPS else op.op,
            status=status,
            name=op.display_name or op.user_id or op.name,
            queued_at=self.item.queued_at,
            max_attempts=self.spec.max_attempts,
            input=op.input,
            info=_encode_json(info),
        )
        self.records.append(msgspec.structs.replace(record, **fields) if fields else record)

    def record_function(self, status: str, output: bytes = b"", error: bytes = b"") -> None:
        """Record the outcome of the code outside of steps, or of a targeted step that never reported."""
        if self.item.step_id:
            self._record_code(self.item.step_id, self.item.attempt, "StepRun", status, output, error)
        else:
            self._record_own_code(status, output, error)

    def _record_own_code(self, status: str, output: bytes = b"", error: bytes = b"") -> None:
        """Attempts of the function's own code are numbered through the run, wherever in it they failed."""
        self._record_code("", self.state.function_errors, "Function", status, output, error)
        if status == "Errored":
            self.add("K")

    def _record_code(
        self, step_id: str, attempt: int, op: str, status: str, output: bytes, error: bytes
    ) -> None:
        info = self._attempt_info(status)
        self.records.append(
            StepRecorded(
                run_id=self.item.run_id,
                step_id=step_id,
                attempt=attempt,
                op=op,
                status=status,
                queued_at=self.item.queued_at,
                started_at=self.dispatch.started_at,
                ended_at=self.now,
                output=output,
                error=error,
                info=_encode_json(info),
                max_attempts=self.spec.max_attempts,
            )
        )

    def _attempt_info(self, status: str) -> dict[str, str | int]:
        info: dict[str, str | int] = {}
        if self.dispatch.status_code:
            info["status_code"] = self.dispatch.status_code
        if status == "Errored" and self._requeue:
            info["retry_at"] = dates.rfc3339(int(self._requeue[1]))
        return info

    def complete(self, result: bytes | None) -> None:
        """End the run with a result; None where the function returned nothing."""
        entries = ending.ending_events(
            self.spec, self.item.run_id, self.state, ending.COMPLETED, self.now, result=result
        )
        self._record_own_code("Completed")
        self._finish(ending.COMPLETED, result or b"", entries)

    def fail(self, error: bytes, output: bytes = b"") -> None:
        """End the run as failed with the error object; `output` is the raw body it came from."""
        self._finish(ending.FAILED, error, self._failure_events(error, output))

    def fail_by_engine(self, error: bytes) -> None:
        """End the run for a reason of the engine's own (spec 02, 6.9)."""
        self.operations.clear()
        self.saved.clear()
        self.records = [
            record for record in self.records if isinstance(record, StepRecorded) and record.op != "Function"
        ]
        self.record_function("Failed", error=error)
        self._finish(ending.FAILED, errors.wrapped_output(error), self._failure_events(error))

    def signal_conflict(self) -> tuple[bytes, list[Argument]]:
        """The (history, event arguments) of this run failing because its signal is taken."""
        error = errors.signal_conflict()
        ended = self._ended(ending.FAILED, errors.wrapped_output(error))
        return encode_records([ended]), ending.event_arguments(self._failure_events(error))

    def build(self, request_version: int | None, *, may_continue: bool) -> Commit:
        return Commit(
            item=self.item,
            operations=[*self.operations, *self._requeue],
            history=encode_records(self.records) if self.records else b"",
            request_version=request_version,
            may_continue=may_continue and not self.is_finished and not self.is_requeued,
        )

    def _failure_events(self, error: bytes, output: bytes = b"") -> list[EventEntry]:
        return ending.ending_events(
            self.spec,
            self.item.run_id,
            self.state,
            ending.FAILED,
            self.now,
            result=output or None,
            error=error,
        )

    def _ended(self, status: str, output: bytes) -> RunEnded:
        return RunEnded(self.item.run_id, status, self.now, output, started_at=self.state.started_at)

    def _finish(self, status: str, output: bytes, entries: list[EventEntry]) -> None:
        self.records.append(self._ended(status, output))
        self.operations += ("F", *ending.event_arguments(entries))
        self._requeue.clear()
        self.is_finished = True


_RUN_OPS = frozenset({"Step", "StepRun", "StepPlanned", "StepError", "StepFailed"})


def op_info(op: Op) -> dict[str, str | int]:
    """What history keeps of any op: details for display, and what its memo and its group are."""
    info: dict[str, str | int] = {}
    if op.type:
        info["type"] = op.type
    if op.user_id:
        info["user_id"] = op.user_id
    if op.user_index:
        info["index"] = op.user_index
    if op.parallel_race:
        info["race"] = 1
    if op.op == "Step":
        info["raw"] = 1
    return info
