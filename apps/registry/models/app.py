"""Apps: groups of functions that one SDK client serves (spec 01 1.1, spec 05 1.7)."""

import uuid

from django.db import models

from apps.registry.choices import AppMethod
from apps.tenancy.models import Account, Environment


class App(models.Model):
    """An app of one environment, or the placeholder of a URL that has not synced yet (empty `name`).

    `name` is the id chosen in the SDK; `url` is as the SDK or the user gave it, and
    `normalised_url` (spec 01 4.8) only serves to recognise it. `error` is the code or message of
    the last failed sync (spec 03 6.10), empty when healthy, and `error_detail` its long form.
    `publish_pending`: the engine has not yet confirmed the functions of the last sync.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="apps")
    name = models.CharField(max_length=255, blank=True)
    method = models.CharField(max_length=10, choices=AppMethod, default=AppMethod.SERVE)
    url = models.CharField(max_length=2000, blank=True)
    normalised_url = models.CharField(max_length=2000, blank=True)
    sdk_language = models.CharField(max_length=100, blank=True)
    sdk_version = models.CharField(max_length=100, blank=True)
    framework = models.CharField(max_length=100, blank=True)
    platform = models.CharField(max_length=100, blank=True)
    app_version = models.CharField(max_length=100, blank=True)
    checksum = models.CharField(max_length=64, blank=True)
    error = models.CharField(max_length=500, blank=True)
    error_detail = models.TextField(blank=True)
    autodiscovered = models.BooleanField(default=False)
    publish_pending = models.BooleanField(default=False)
    archived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["environment", "name"], condition=~models.Q(name=""), name="app_name_unique"
            ),
            models.UniqueConstraint(
                fields=["environment", "normalised_url"],
                condition=models.Q(name=""),
                name="app_placeholder_unique",
            ),
        ]
        indexes = [models.Index(fields=["environment", "normalised_url"], name="app_by_url")]

    def __str__(self) -> str:
        return self.name or self.url
