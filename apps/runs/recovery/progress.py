"""How far a run had come, from its attempts in history (spec 02, 12.2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from apps.engine.protocol.dates import parse_date_ms
from apps.runs.choices import StepStatus
from apps.runs.exceptions import StepOutputGone
from apps.runs.models import StepAttempt, StepPayload
from apps.runs.services.replayed_steps import Memo, memo_of

# What the server finishes by itself; every other step is asked of the app again.
SERVER_STEPS = frozenset({"Sleep", "WaitForEvent", "WaitForSignal", "InvokeFunction"})
_FINAL = frozenset({StepStatus.COMPLETED, StepStatus.TIMED_OUT, StepStatus.FAILED})


@dataclass(frozen=True, slots=True)
class Retry:
    """The next attempt, from 0, and when it is due (ms)."""

    step_id: str
    attempt: int
    due_at: int
    race: bool = False


@dataclass(slots=True)
class Progress:
    """`memos` are in the order in which the steps finished. `open_steps` are those that the server will
    finish, `retries` steps that have failed and run again, `asked` counts what else the app is asked for.
    `own_retry` is the next attempt of the function's own code where it has failed since the last result."""

    memos: list[Memo] = field(default_factory=list)
    open_steps: list[StepAttempt] = field(default_factory=list)
    retries: list[Retry] = field(default_factory=list)
    asked: int = 0
    own_errors: int = 0
    own_retry: Retry | None = None
    first_sign: int = 0

    @property
    def unfinished(self) -> int:
        return len(self.open_steps) + len(self.retries) + self.asked


def progress_of(attempts: Sequence[StepAttempt], payloads: Mapping[tuple[str, int], StepPayload]) -> Progress:
    """A finished step whose output is gone counts as one that is still asked for."""
    found, finished = Progress(), []
    for attempts_of_step in _by_step(attempts).values():
        final = next((attempt for attempt in attempts_of_step if attempt.status in _FINAL), None)
        if final is None:
            _add_open(found, attempts_of_step)
            continue
        try:
            memo = memo_of(final, payloads.get((final.step_id, final.attempt)))
        except StepOutputGone:
            found.asked += 1
        else:
            finished.append((_end(final), (final.step_id, memo)))
    finished.sort(key=lambda pair: pair[0])
    found.memos = [memo for _, memo in finished]
    _add_own_code(found, attempts, finished[-1][0][0] if finished else 0)
    found.first_sign = min((start for attempt in attempts if (start := _start(attempt))), default=0)
    return found


def _by_step(attempts: Sequence[StepAttempt]) -> dict[str, list[StepAttempt]]:
    steps: dict[str, list[StepAttempt]] = {}
    for attempt in sorted(attempts, key=lambda attempt: attempt.attempt):
        if attempt.step_id:
            steps.setdefault(attempt.step_id, []).append(attempt)
    return steps


def _add_open(found: Progress, attempts: Sequence[StepAttempt]) -> None:
    failed = [attempt for attempt in attempts if attempt.status == StepStatus.ERRORED]
    latest = attempts[-1]
    if latest.op in SERVER_STEPS:
        found.open_steps.append(latest)
    elif failed and latest.op == "StepRun":
        found.retries.append(_retry(failed[-1], failed[-1].attempt + 1))
    else:
        found.asked += 1


def _add_own_code(found: Progress, attempts: Sequence[StepAttempt], progressed_at: int) -> None:
    """Attempts of the own code are numbered through the run; those since the last result are in a row."""
    failed = [a for a in attempts if not a.step_id and a.status == StepStatus.ERRORED]
    found.own_errors = len(failed)
    in_a_row = [attempt for attempt in failed if (attempt.ended_at or 0) >= progressed_at]
    if in_a_row:
        latest = max(in_a_row, key=lambda attempt: attempt.attempt)
        found.own_retry = _retry(latest, len(in_a_row))


def _retry(failed: StepAttempt, attempt: int) -> Retry:
    info = failed.info_fields()
    due_at = parse_date_ms(str(info.get("retry_at", ""))) or 0
    return Retry(failed.step_id, attempt, due_at, bool(info.get("race")))


def _end(step: StepAttempt) -> tuple[int, int, str]:
    return (step.ended_at or 0, _start(step), step.step_id)


def _start(step: StepAttempt) -> int:
    return step.started_at or step.queued_at or step.ended_at or 0
