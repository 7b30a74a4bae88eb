"""Webhooks (spec 05, 2.5). The key, its name and its filter are an EventKey's; what is here is what makes
a webhook of it, and the log of what came."""

import uuid
from typing import TYPE_CHECKING

from django.db import models

from apps.credentials.models import EventKey
from apps.webhooks.choices import Outcome, Scheme, Verified

if TYPE_CHECKING:
    from datetime import datetime


class Webhook(models.Model):
    """`transform` and `respond` are JavaScript; the latter may be empty. `options` are those of the scheme,
    without the secret, which nobody sees again. Counts are since creation, of deliveries.
    """

    key = models.OneToOneField(EventKey, on_delete=models.CASCADE, primary_key=True, related_name="webhook")
    preset = models.CharField(max_length=32, blank=True)
    transform = models.TextField()
    respond = models.TextField(blank=True)
    scheme = models.CharField(max_length=8, choices=Scheme.choices, default=Scheme.NONE)
    options = models.JSONField(default=dict)
    secret_encrypted = models.TextField(blank=True)
    secret_set_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)
    last_delivery_at = models.DateTimeField(null=True, blank=True)
    accepted_count = models.BigIntegerField(default=0)
    dropped_count = models.BigIntegerField(default=0)
    failed_count = models.BigIntegerField(default=0)
    unverified_count = models.BigIntegerField(default=0)
    refused_count = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"webhook {self.key_id}"

    @property
    def id(self) -> uuid.UUID:
        return self.key_id

    @property
    def name(self) -> str:
        return self.key.name

    @property
    def created_at(self) -> "datetime":
        return self.key.created_at

    @property
    def has_secret(self) -> bool:
        return bool(self.secret_encrypted)

    @property
    def delivery_count(self) -> int:
        succeeded = self.accepted_count + self.dropped_count
        return succeeded + self.failed_count + self.unverified_count + self.refused_count


class Delivery(models.Model):
    """One request to a webhook. `id` is a ULID, so ids are in the order of arrival.

    `environment_id` is where its events went: the webhook's own, or a branch. `body` is the beginning of what
    came, of `body_bytes` in all; headers come with secrets redacted.
    """

    id = models.CharField(primary_key=True, max_length=26)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    environment_id = models.UUIDField()
    received_at = models.DateTimeField()
    method = models.CharField(max_length=8)
    ip = models.GenericIPAddressField(null=True)
    status = models.PositiveSmallIntegerField()
    outcome = models.CharField(max_length=12, choices=Outcome.choices)
    verified = models.CharField(max_length=8, choices=Verified.choices, blank=True, default="")
    duration_ms = models.PositiveIntegerField(default=0)
    event_names = models.JSONField(default=list)
    event_ids = models.JSONField(default=list)
    error = models.CharField(max_length=1000, blank=True)
    headers = models.JSONField(default=dict)
    query = models.JSONField(default=dict)
    body = models.BinaryField(default=b"")
    body_bytes = models.PositiveIntegerField(default=0)
    redelivery_of = models.CharField(max_length=26, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["webhook", "-id"], name="delivery_by_webhook"),
            models.Index(fields=["received_at"], name="delivery_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.outcome}"

    @property
    def is_truncated(self) -> bool:
        return len(self.body) < self.body_bytes
