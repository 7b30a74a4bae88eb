"""History of runs goes with its environment."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from apps.runs.models import Run, RunEvent, RunPayload, StepAttempt, StepPayload

# Runs whose rows go in one transaction.
_CHUNK = 500


def erase_runs(environment_ids: Sequence[UUID]) -> int:
    """Delete all that is known of the environments' runs; how many runs. May be repeated."""
    erased = 0
    while run_ids := _some(environment_ids):
        _erase(run_ids)
        erased += len(run_ids)
    return erased


def _some(environment_ids: Sequence[UUID]) -> list[str]:
    runs = Run.objects.filter(environment_id__in=environment_ids)
    return list(runs.values_list("run_id", flat=True)[:_CHUNK])


@transaction.atomic
def _erase(run_ids: Sequence[str]) -> None:
    """The run itself goes last: it is what leads to the rest."""
    for model in (RunEvent, RunPayload, StepAttempt, StepPayload, Run):
        rows = model._default_manager.filter(run_id__in=run_ids)
        rows._raw_delete(rows.db)
