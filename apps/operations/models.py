"""Operations that go on in the background. Times are milliseconds since the epoch."""

from django.db import models

from apps.operations.choices import CancellationCause, CancellationKind, CancellationStatus
from apps.registry.models import App, Function
from apps.tenancy.models import Account, Environment


class Cancellation(models.Model):
    """Cancels the function's runs of a window (both ends included) that `expression` is true for.

    `id` is a ULID. `started_after` is null where the window is open. The walk over the live runs goes on
    from `cursor`, up to `walk_until` once that is known; `due_at` is when somebody has to take it up
    (again), and `claim` belongs to the worker that has it. Of the batch under way when a worker died,
    the runs that it had ended are missing in `matched` and `cancelled`.
    """

    id = models.CharField(primary_key=True, max_length=26)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="cancellations")
    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="+")
    function = models.ForeignKey(Function, on_delete=models.CASCADE, related_name="cancellations")
    name = models.CharField(max_length=100, blank=True)
    started_after = models.BigIntegerField(null=True)
    started_before = models.BigIntegerField()
    expression = models.TextField(blank=True)
    kind = models.CharField(max_length=20, choices=CancellationKind, default=CancellationKind.BULK_RUN)
    cause = models.CharField(max_length=10, choices=CancellationCause)
    status = models.CharField(max_length=10, choices=CancellationStatus, default=CancellationStatus.RUNNING)
    matched = models.PositiveIntegerField(default=0)
    cancelled = models.PositiveIntegerField(default=0)
    created_at = models.BigIntegerField()
    finished_at = models.BigIntegerField(null=True)
    cursor = models.CharField(max_length=48, blank=True)
    walk_until = models.BigIntegerField(null=True)
    due_at = models.BigIntegerField()
    claim = models.CharField(max_length=32, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["environment", "-id"], name="cancellation_by_env"),
            models.Index(
                fields=["due_at"],
                condition=models.Q(status=CancellationStatus.RUNNING),
                name="cancellation_due",
            ),
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def reason(self) -> str:
        """What its runs tell as the reason of their end."""
        return f"{self.name} (cancellation {self.id})" if self.name else f"cancellation {self.id}"
