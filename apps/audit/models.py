"""The audit log (spec 05, 2.8): who changed what, append-only, each entry chained to the one before."""

import uuid

from django.db import models

from apps.tenancy.models import Account


class ActorKind(models.TextChoices):
    USER = "user"
    API_KEY = "api_key"
    SIGNING_KEY = "signing_key"
    TOKEN = "token"  # noqa: S105 a kind of actor
    SYSTEM = "system"
    SUPPORT = "support"


class AuditEntry(models.Model):
    """One change. `before` and `after` hold what differs, secrets left out. `hash` covers the entry and the
    hash of the account's previous one, whose `number` is one less.

    No foreign keys: an entry outlives what it tells of. `account_id` is the nil UUID for the installation.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    account_id = models.UUIDField()
    number = models.BigIntegerField()
    environment_id = models.UUIDField(null=True)
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=12, choices=ActorKind.choices)
    actor_id = models.CharField(max_length=40, blank=True)
    actor_label = models.CharField(max_length=254, blank=True)
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=256, blank=True)
    action = models.CharField(max_length=64)  # <family>.<verb>, such as key.event.create
    target_type = models.CharField(max_length=32, blank=True)
    target_id = models.CharField(max_length=64, blank=True)
    target_label = models.CharField(max_length=254, blank=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    request_id = models.CharField(max_length=40, blank=True)
    is_success = models.BooleanField(default=True)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account_id", "number"], name="audit_number_unique")]
        indexes = [
            models.Index(fields=["account_id", "-at"], name="audit_by_time"),
            models.Index(fields=["account_id", "action", "-at"], name="audit_by_action"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.target_label}"


class AuditHead(models.Model):
    """The last entry of an account's chain; locked while the next one is added."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True)
    number = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, default="")

    def __str__(self) -> str:
        return f"{self.account_id} at {self.number}"
