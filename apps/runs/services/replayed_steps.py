"""Which steps a rerun from a step keeps, and the memos that the engine sends for them (spec 02, 12.2)."""

from collections.abc import Iterable, Mapping
from typing import NoReturn

from apps.engine.protocol import memos
from apps.runs.choices import StepStatus
from apps.runs.exceptions import StepAmbiguous, StepNotFound, StepOutputGone
from apps.runs.models import StepAttempt, StepPayload

Memo = tuple[str, bytes]
Payloads = Mapping[tuple[str, int], StepPayload]

_FINAL = frozenset({StepStatus.COMPLETED, StepStatus.TIMED_OUT, StepStatus.FAILED})
_WAITS = frozenset({"WaitForEvent", "WaitForSignal"})


def find_step(attempts: Iterable[StepAttempt], wanted: str) -> StepAttempt:
    """The latest attempt of the step with this internal id, else of the only one that is named so."""
    steps = _latest_attempts(attempts)
    if wanted in steps:
        return steps[wanted]
    named = [step for step in steps.values() if wanted in (step.name, step.info_fields().get("user_id"))]
    if not named:
        raise StepNotFound
    if len(named) > 1:
        raise StepAmbiguous
    return named[0]


def memos_before(target: StepAttempt, attempts: Iterable[StepAttempt], payloads: Payloads) -> list[Memo]:
    """Memos of the steps that finished and had started before `target`, in that order."""
    steps = sorted(_latest_attempts(attempts).values(), key=_start)
    before = steps[: [step.step_id for step in steps].index(target.step_id)]
    return [
        (step.step_id, memo_of(step, payloads.get((step.step_id, step.attempt))))
        for step in before
        if step.status in _FINAL
    ]


def _latest_attempts(attempts: Iterable[StepAttempt]) -> dict[str, StepAttempt]:
    ordered = sorted(attempts, key=lambda attempt: attempt.attempt)
    return {attempt.step_id: attempt for attempt in ordered if attempt.step_id}


def _start(step: StepAttempt) -> tuple[int, int, str]:
    began = step.started_at or step.queued_at or step.ended_at or 0
    return (began, step.ended_at or 0, step.step_id)


def memo_of(step: StepAttempt, payload: StepPayload | None) -> bytes:
    """The memo of a finished step. Raises StepOutputGone."""
    if payload is not None and payload.error is not None and step.status != StepStatus.COMPLETED:
        return memos.error_memo(payload.error.encode())
    if step.op == "Sleep" or (step.op in _WAITS and step.status == StepStatus.TIMED_OUT):
        return memos.NULL_MEMO
    output = (payload.output or "").encode() if payload is not None else b""
    if step.op == "WaitForEvent":
        return output or _gone()
    if step.op == "WaitForSignal":
        return memos.signal_memo(str(step.info_fields().get("signal", "")), output)
    if step.status != StepStatus.COMPLETED:
        return _gone()
    return output if step.info_fields().get("raw") else memos.data_memo(output)


def _gone() -> NoReturn:
    """A step without output returned nothing; a received event and an error are never empty."""
    raise StepOutputGone
