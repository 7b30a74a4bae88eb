"""Cancelling runs by their ids."""

from collections.abc import Sequence

from apps.engine import bridge
from apps.operations.exceptions import TooManyRuns
from apps.runs import selectors
from apps.runs.choices import RunStatus
from apps.runs.services import CancelResult
from apps.tenancy.models import Environment

MAX_RUNS = 1_000
_BATCH = 50


def runs_cancel(
    *, environment: Environment, run_ids: Sequence[str], reason: str
) -> dict[str, CancelResult | None]:
    """End live runs as cancelled; what became of each id, None for no run of this environment.

    Idempotent; in batches, so that an error in between leaves the earlier ones cancelled. Raises
    TooManyRuns, RedisUnavailable.
    """
    unique = list(dict.fromkeys(run_ids))
    if len(unique) > MAX_RUNS:
        raise TooManyRuns
    results: dict[str, CancelResult | None] = {}
    for start in range(0, len(unique), _BATCH):
        results |= _cancel_batch(environment, unique[start : start + _BATCH], reason)
    return results


def _cancel_batch(
    environment: Environment, run_ids: Sequence[str], reason: str
) -> dict[str, CancelResult | None]:
    env_id = str(environment.id)
    verdicts = bridge.engine_call(lambda engine: engine.cancel_runs(env_id, run_ids, reason))
    missed = [run_id for run_id, cancelled in zip(run_ids, verdicts, strict=True) if not cancelled]
    statuses = selectors.run_statuses(environment.id, missed)
    earlier = {run_id: _earlier_end(statuses.get(run_id)) for run_id in missed}
    return {run_id: earlier.get(run_id, CancelResult.CANCELLED) for run_id in run_ids}


def _earlier_end(status: RunStatus | None) -> CancelResult | None:
    if status is None:
        return None
    is_cancelled = status is RunStatus.CANCELLED
    return CancelResult.ALREADY_CANCELLED if is_cancelled else CancelResult.ALREADY_ENDED
