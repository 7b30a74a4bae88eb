"""The walk of a bulk cancellation over its function's live runs.

It goes through the index of live runs in batches and stores how far it came after each. A worker takes it
up for a slice of time and gives it back; a slice whose worker died falls due again. The engine keeps a run in
the index until it ends, so the walk is complete once it has seen the end of the index after the runner has
started everything that was accepted inside the window.
"""

import time
import uuid
from typing import NamedTuple

from django.db.models import F

from apps.engine import bridge, clock, expressions
from apps.engine.control import LiveRun
from apps.engine.engine import Engine
from apps.engine.protocol import ids
from apps.operations.choices import CancellationStatus
from apps.operations.models import Cancellation

BATCH = 50
SLICE_SECONDS = 1.5
# Longer than a slice and any batch may take: nobody else takes the cancellation up meanwhile.
CLAIM_MS = 40_000
RUNNER_WAIT_MS = 500
# How far the clocks of the processes that date runs may be apart.
CLOCK_SKEW_MS = 10_000


class Batch(NamedTuple):
    """`is_end`: the index has no more for now. `is_settled`: and no run of the window can come any more."""

    position: LiveRun
    matched: int
    cancelled: int
    is_end: bool
    is_settled: bool


def cancellation_walk(cancellation_id: str) -> None:
    """Work on a cancellation for one slice of time.

    It rests as long as it works, so that live traffic comes first. Raises RedisUnavailable: the slice then
    falls due again.
    """
    cancellation = _claim(cancellation_id)
    deadline = time.monotonic() + SLICE_SECONDS
    while cancellation is not None:
        started = time.monotonic()
        cancellation = _advance(cancellation, is_last=started > deadline)
        if cancellation is not None:
            time.sleep(time.monotonic() - started)


def _claim(cancellation_id: str) -> Cancellation | None:
    """The cancellation for this worker alone, from whomever had it; None when there is nothing to do."""
    claim = uuid.uuid4().hex
    rows = Cancellation.objects.filter(id=cancellation_id, status=CancellationStatus.RUNNING)
    rows.update(claim=claim, due_at=clock.now_ms() + CLAIM_MS)
    return Cancellation.objects.filter(id=cancellation_id, claim=claim).first()


def _advance(cancellation: Cancellation, *, is_last: bool) -> Cancellation | None:
    """Do one batch and store where it ended; None when this worker is done with the cancellation."""
    now = clock.now_ms()
    batch = bridge.engine_call(lambda engine: _cancel_batch(engine, cancellation, now))
    changes: dict[str, object] = {"cursor": _text(batch.position), "due_at": now + CLAIM_MS}
    is_over = batch.is_end and cancellation.walk_until is not None
    is_waiting = batch.is_end and not batch.is_settled
    if is_over:
        changes |= {"status": CancellationStatus.FINISHED, "finished_at": now}
    elif is_waiting:
        changes["due_at"] = now + RUNNER_WAIT_MS
    elif batch.is_end:
        changes |= _last_round(batch.position, now)
    if is_last and not is_waiting:
        changes["due_at"] = now
    is_ours = _store(cancellation, batch, changes)
    return cancellation if is_ours and not (is_over or is_waiting or is_last) else None


def _last_round(position: LiveRun, now: int) -> dict[str, object]:
    """From here the walk has an end. It goes back a little: a run may be dated by a clock that is behind."""
    back = LiveRun(max(position.queued_at - CLOCK_SKEW_MS, 0), "")
    return {"cursor": _text(back), "walk_until": now + CLOCK_SKEW_MS}


async def _cancel_batch(engine: Engine, cancellation: Cancellation, now: int) -> Batch:
    env_id, function_id = str(cancellation.environment_id), str(cancellation.function_id)
    after = _position(cancellation)
    until = cancellation.walk_until or now + CLOCK_SKEW_MS
    # Asked first: whatever the runner has started by then is in the index that is read next.
    is_settled = cancellation.walk_until is not None or await _is_settled(engine, cancellation, now)
    runs = await engine.live_runs(env_id, function_id, after, until, BATCH)
    chosen = [run.run_id for run in runs if _is_in_window(run, cancellation)]
    if cancellation.expression:
        program = expressions.compile_expression(cancellation.expression)
        chosen = await engine.matching_runs(chosen, program)
    verdicts = await engine.cancel_runs(env_id, chosen, cancellation.reason)
    position = runs[-1] if runs else after
    return Batch(position, len(chosen), sum(verdicts), len(runs) < BATCH, is_settled)


async def _is_settled(engine: Engine, cancellation: Cancellation, now: int) -> bool:
    window_end = cancellation.started_before
    return window_end < now and await engine.has_handled(window_end)


def _is_in_window(run: LiveRun, cancellation: Cancellation) -> bool:
    """By the time in the run's id, which is that of its event."""
    moment = ids.ulid_time_ms(run.run_id)
    return (cancellation.started_after or 0) <= moment <= cancellation.started_before


def _store(cancellation: Cancellation, batch: Batch, changes: dict[str, object]) -> bool:
    """False when the cancellation was deleted, or belongs to another worker by now."""
    rows = Cancellation.objects.filter(
        id=cancellation.id, claim=cancellation.claim, status=CancellationStatus.RUNNING
    )
    counts = {"matched": F("matched") + batch.matched, "cancelled": F("cancelled") + batch.cancelled}
    if not rows.update(**changes, **counts):
        return False
    for name, value in changes.items():
        setattr(cancellation, name, value)
    return True


def _position(cancellation: Cancellation) -> LiveRun:
    if not cancellation.cursor:
        return LiveRun(max((cancellation.started_after or 0) - CLOCK_SKEW_MS, 0), "")
    queued_at, _, run_id = cancellation.cursor.partition("|")
    return LiveRun(int(queued_at), run_id)


def _text(position: LiveRun) -> str:
    return f"{position.queued_at}|{position.run_id}"
