"""Cancelling a run (spec 02, 7.7)."""

import uuid
from enum import StrEnum

from apps.engine import bridge
from apps.runs import selectors
from apps.runs.choices import RunStatus
from apps.runs.exceptions import RunNotFound


class CancelResult(StrEnum):
    CANCELLED = "cancelled"
    ALREADY_CANCELLED = "already_cancelled"
    ALREADY_ENDED = "already_ended"


def run_cancel(environment_id: uuid.UUID, run_id: str, reason: str) -> CancelResult:
    """End a live run as cancelled, whether it is queued, running, sleeping or waiting.

    Idempotent: a run that has ended keeps its status. `reason` says who asked. Raises RunNotFound,
    RedisUnavailable.
    """
    if bridge.engine_call(lambda engine: engine.cancel_run(str(environment_id), run_id, reason)):
        return CancelResult.CANCELLED
    run = selectors.run_get(environment_id, run_id)
    if run is None:
        raise RunNotFound
    is_cancelled = run.status == RunStatus.CANCELLED
    return CancelResult.ALREADY_CANCELLED if is_cancelled else CancelResult.ALREADY_ENDED
