"""A run as it is put back into the queue from history: the arguments of the Lua function `restore`."""

import msgspec

from apps.engine import expressions, pause_index
from apps.engine.flow import admission
from apps.engine.flow.admission import Flow
from apps.engine.flow.keys import KeyReader
from apps.engine.flow.policy import FlowPolicy
from apps.engine.new_run import NewRun
from apps.engine.records import AnyRecord, StepRecorded, encode_records
from apps.engine.store.client import Argument

_encoder = msgspec.msgpack.Encoder()
# Position of the first blob among the arguments.
_FIRST_BLOB = 4


class OpenWait(msgspec.Struct):
    """Times are ms; `race` is "1" in a race; `after` is the stream id after which events match."""

    step: str
    pause: str
    event: str
    expression: str
    bucket: str
    path: str
    covered: str
    expires: int
    race: str
    after: str


class OpenInvoke(msgspec.Struct):
    step: str
    pause: str
    expires: int
    race: str


class OpenSignal(msgspec.Struct):
    """`replaced` is the position of the history of a waiter that has to give way."""

    step: str
    pause: str
    signal: str
    expires: int
    race: str
    replaced: int


class OpenSleep(msgspec.Struct):
    """`awake` is the position of the history of its end."""

    step: str
    due: int
    race: str
    awake: int


class OpenRetry(msgspec.Struct):
    """A step that runs again, and which attempt that is, from 0."""

    step: str
    due: int
    race: str
    attempt: int


class _Shape(msgspec.Struct):
    """What the script unpacks. It knows no binary strings, so these are arguments of their own."""

    run: str
    fn: str
    env: str
    account: str
    app: str
    events: str
    meta: str
    queued: int
    score: int
    started: int
    due: int
    attempt: int
    errors: int
    plan_only: str
    start_due: int
    finish_due: int
    flow: Flow
    cancels: list[Argument]
    memos: list[tuple[str, str]]
    waits: list[OpenWait]
    invokes: list[OpenInvoke]
    signals: list[OpenSignal]
    sleeps: list[OpenSleep]
    retries: list[OpenRetry]


class RestoredRun:
    """Gathers what is known of a run that has not ended. Its next request is `due` (ms) and is attempt
    `attempt`; `errors` counts the failed attempts of its own code; a run that has not `started_at` starts."""

    def __init__(self, run: NewRun, memos: list[tuple[str, bytes]], started_at: int) -> None:
        self.run = run
        self.memos = memos
        self.started_at = started_at
        self.due = run.due
        self.attempt = 0
        self.errors = 0
        self.is_plan_only = False
        self.records: list[AnyRecord] = []
        self._waits: list[OpenWait] = []
        self._invokes: list[OpenInvoke] = []
        self._signals: list[OpenSignal] = []
        self._sleeps: list[OpenSleep] = []
        self._retries: list[OpenRetry] = []
        self._blobs: list[bytes] = []

    @property
    def run_id(self) -> str:
        return self.run.run_id

    def sleep(self, step_id: str, due: int, *, race: bool) -> None:
        awake = StepRecorded(self.run_id, step_id, 0, "Sleep", "Completed", ended_at=due)
        self._sleeps.append(OpenSleep(step_id, due, _flag(race), self._blob(awake)))

    def wait(
        self, step_id: str, event: str, expression: str, expires: int, after: str, *, race: bool
    ) -> None:
        """Raises ExpressionError."""
        bucket, path, is_covered = self._index(expression)
        pause = f"{self.run_id}.{step_id}"
        covered = _flag(is_covered)
        self._waits.append(
            OpenWait(step_id, pause, event, expression, bucket, path, covered, expires, _flag(race), after)
        )

    def invoke(self, step_id: str, expires: int, *, race: bool) -> None:
        self._invokes.append(OpenInvoke(step_id, f"{self.run_id}.{step_id}", expires, _flag(race)))

    def signal(self, step_id: str, name: str, expires: int, now: int, *, race: bool) -> None:
        info = b'{"replaced":true}'
        replaced = StepRecorded(self.run_id, step_id, 0, "WaitForSignal", "TimedOut", ended_at=now, info=info)
        pause = f"{self.run_id}.{step_id}"
        self._signals.append(OpenSignal(step_id, pause, name, expires, _flag(race), self._blob(replaced)))

    def retry(self, step_id: str, due: int, attempt: int, *, race: bool) -> None:
        self._retries.append(OpenRetry(step_id, due, _flag(race), attempt))

    def arguments(self, now: int) -> list[Argument]:
        """In the order of `restore` in 87_restore.lua."""
        history = encode_records(self.records) if self.records else b""
        return [now, _encoder.encode(self._shape()), history, *self._blobs]

    def _shape(self) -> _Shape:
        run, spec = self.run, self.run.spec
        began = self.started_at
        return _Shape(
            run=run.run_id,
            fn=spec.id,
            env=spec.env_id,
            account=spec.account_id,
            app=spec.app_id,
            events=run.events.decode(),
            meta=msgspec.json.encode(run.meta).decode(),
            queued=run.queued_at,
            score=run.queued_at - run.priority_ms,
            started=began,
            due=self.due,
            attempt=self.attempt,
            errors=self.errors,
            plan_only=_flag(self.is_plan_only),
            start_due=0 if began or not spec.start_timeout_ms else run.scheduled_at + spec.start_timeout_ms,
            finish_due=began + spec.finish_timeout_ms if began and spec.finish_timeout_ms else 0,
            flow=run.flow or Flow(),
            cancels=run.cancels,
            memos=[(step_id, memo.decode()) for step_id, memo in self.memos],
            waits=self._waits,
            invokes=self._invokes,
            signals=self._signals,
            sleeps=self._sleeps,
            retries=self._retries,
        )

    def _index(self, expression: str) -> tuple[str, str, bool]:
        if not expression:
            return pause_index.EVERY, pause_index.EVERY, True
        program = expressions.compile_expression(expression)
        return pause_index.index_of(program, msgspec.json.decode(self.run.events)[0])

    def _blob(self, record: StepRecorded) -> int:
        self._blobs.append(encode_records([record]))
        return _FIRST_BLOB + len(self._blobs) - 1


def plan_flow(run: NewRun, policy: FlowPolicy) -> None:
    """The key queue, the lock and the priority that the run's function asks for now."""
    if not admission.needs_flow(run.spec):
        return
    reader = KeyReader(lambda: msgspec.json.decode(run.events)[0])
    run.flow = Flow()
    run.priority_ms = admission.plan_queueing(run.flow, run.spec, reader, policy)


def _flag(value: bool) -> str:
    return "1" if value else "0"
