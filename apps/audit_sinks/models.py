"""Where an organisation's audit log is sent on to, as it grows (spec 05, 2.8)."""

from django.db import models
from django.utils import timezone

from apps.tenancy.models import Account


class AuditSink(models.Model):
    """A URL that takes the entries in their order; an organisation has one at most.

    `cursor` is the number of the last entry that was taken. `due_at` is when the next may be sent: after a
    failure later and later; while a process sends, the moment when another may take over. The URL is a
    secret, since collectors have tokens in theirs; `host` is what people see of it.
    """

    account = models.OneToOneField(
        Account, on_delete=models.CASCADE, primary_key=True, related_name="audit_sink"
    )
    host = models.CharField(max_length=253)
    url_encrypted = models.TextField()
    secret_encrypted = models.TextField()
    cursor = models.BigIntegerField()
    due_at = models.DateTimeField(default=timezone.now, db_index=True)
    failures = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=200, blank=True)
    delivered_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.account_id} to {self.host}"
