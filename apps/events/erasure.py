"""History of events goes with its environment."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from apps.events.models import Event, EventOutcome, EventPayload

# Events whose rows go in one transaction.
_CHUNK = 500


def erase_events(environment_ids: Sequence[UUID]) -> int:
    """Delete all that is known of the environments' events; how many. May be repeated."""
    erased = 0
    for model in (Event, EventOutcome):
        rows = model._default_manager.filter(environment_id__in=environment_ids)
        while keys := list(rows.values_list("key", flat=True)[:_CHUNK]):
            _erase(keys)
            erased += len(keys) if model is Event else 0
    return erased


@transaction.atomic
def _erase(keys: Sequence[str]) -> None:
    for model in (EventPayload, EventOutcome, Event):
        rows = model._default_manager.filter(key__in=keys)
        rows._raw_delete(rows.db)
