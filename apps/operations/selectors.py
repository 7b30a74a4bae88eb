"""Reading operations. The environment comes first."""

from uuid import UUID

from apps.operations.choices import CancellationStatus
from apps.operations.models import Cancellation


def cancellation_list(
    environment_id: UUID, *, function_id: UUID | None = None, limit: int, before: str = ""
) -> list[Cancellation]:
    """Newest first, with their functions and apps; `before` is the id that the last page ended with."""
    rows = Cancellation.objects.filter(environment_id=environment_id)
    rows = rows.exclude(status=CancellationStatus.DELETED)
    if function_id is not None:
        rows = rows.filter(function_id=function_id)
    if before:
        rows = rows.filter(id__lt=before)
    rows = rows.select_related("function", "app").defer("function__config", "function__spec")
    return list(rows.order_by("-id")[:limit])


def cancellation_get(environment_id: UUID, cancellation_id: str) -> Cancellation | None:
    """None also for one that was deleted."""
    rows = Cancellation.objects.filter(environment_id=environment_id, id=cancellation_id)
    rows = rows.exclude(status=CancellationStatus.DELETED).select_related("function", "app")
    return rows.defer("function__config", "function__spec").first()


def due_cancellations(now: int, limit: int) -> list[tuple[str, int]]:
    """(id, due time) of cancellations of all environments that nobody works on, the longest waiting first."""
    rows = Cancellation.objects.filter(status=CancellationStatus.RUNNING, due_at__lte=now)
    return list(rows.order_by("due_at", "id").values_list("id", "due_at")[:limit])
