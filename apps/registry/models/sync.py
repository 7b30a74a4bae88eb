"""Syncs: every attempt to register an app, also the failed ones (spec 05 1.8)."""

import uuid

from django.db import models

from apps.registry.choices import SyncStatus
from apps.registry.models.app import App
from apps.tenancy.models import Account, Environment


class Sync(models.Model):
    """One register attempt, or a series of equal ones: a repetition raises `repeats`.

    `app` is null when the attempt failed before an app could be identified. `error_code` is one of
    spec 05 1.8, `error` the text a user reads. The slug lists say what a successful sync did.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="syncs")
    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="syncs", null=True, blank=True)
    status = models.CharField(max_length=10, choices=SyncStatus)
    modified = models.BooleanField(default=False)
    error_code = models.CharField(max_length=50, blank=True)
    error = models.TextField(blank=True)
    url = models.CharField(max_length=2000, blank=True)
    normalised_url = models.CharField(max_length=2000, blank=True)
    sdk_language = models.CharField(max_length=100, blank=True)
    sdk_version = models.CharField(max_length=100, blank=True)
    framework = models.CharField(max_length=100, blank=True)
    platform = models.CharField(max_length=100, blank=True)
    app_version = models.CharField(max_length=100, blank=True)
    checksum = models.CharField(max_length=64, blank=True)
    function_count = models.PositiveIntegerField(default=0)
    added = models.JSONField(default=list, blank=True)
    changed = models.JSONField(default=list, blank=True)
    removed = models.JSONField(default=list, blank=True)
    warnings = models.JSONField(default=list, blank=True)
    repeats = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    last_synced_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["app", "-last_synced_at"], name="sync_by_app"),
            models.Index(fields=["environment", "normalised_url", "-last_synced_at"], name="sync_by_url"),
            models.Index(
                fields=["environment", "-last_synced_at"],
                condition=models.Q(app__isnull=True),
                name="sync_unattached",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.url} {self.created_at:%Y-%m-%d %H:%M:%S}"
