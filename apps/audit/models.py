"""The audit log (spec 05, 2.8): who changed what, append-only, each entry chained to the one before."""

import uuid
from typing import Any, NoReturn

from django.db import models

from apps.audit.exceptions import AppendOnly

# The account of entries about the installation itself, such as that an organisation is gone.
INSTALLATION_ID = uuid.UUID(int=0)


class ActorKind(models.TextChoices):
    USER = "user"
    API_KEY = "api_key"
    SIGNING_KEY = "signing_key"
    TOKEN = "token"  # noqa: S105 a kind of actor
    SYSTEM = "system"
    SUPPORT = "support"


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    """Entries are read and added; nothing changes them."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise AppendOnly

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnly

    def delete(self) -> NoReturn:
        raise AppendOnly


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

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account_id", "number"], name="audit_number_unique")]
        indexes = [
            models.Index(fields=["account_id", "-at"], name="audit_by_time"),
            models.Index(fields=["account_id", "action", "-at"], name="audit_by_action"),
            models.Index(
                fields=["account_id", "target_type", "target_id", "-number"], name="audit_by_target"
            ),
            models.Index(fields=["account_id", "actor_id", "-number"], name="audit_by_actor"),
            models.Index(fields=["account_id", "environment_id", "-number"], name="audit_by_env"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.target_label}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnly
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnly

    @property
    def family(self) -> str:
        return self.action.partition(".")[0]


class AuditHead(models.Model):
    """The last entry of an account's chain; locked while the next one is added."""

    account_id = models.UUIDField(primary_key=True)
    number = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, default="")

    def __str__(self) -> str:
        return f"{self.account_id} at {self.number}"
