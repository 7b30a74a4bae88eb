"""Functions and the history of their configurations (spec 02 12.7, spec 05 1.9)."""

import uuid

from django.db import models

from apps.registry.models.app import App
from apps.registry.models.sync import Sync
from apps.tenancy.models import Account, Environment


class Function(models.Model):
    """A function; its id is stable for (environment, app, slug), also after it was archived.

    `config` is the JSON object that the SDK registered, `spec` the JSON of the engine's
    `FunctionSpec`, complete with ids; both are payload columns that lists do not load. `version`
    rises with each change of the configuration. `spec` says nothing of the three switches below
    (`archived_at`, `paused_at`, `drained_at`: null while off); selectors add them for the engine.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="functions")
    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="functions")
    slug = models.CharField(max_length=255)
    name = models.TextField()
    url = models.TextField()
    version = models.PositiveIntegerField(default=1)
    config = models.TextField()
    config_hash = models.CharField(max_length=64)
    spec = models.TextField()
    archived_at = models.DateTimeField(null=True, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    drained_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["app", "slug"], name="function_slug_unique")]
        indexes = [
            models.Index(fields=["environment", "slug"], name="function_by_slug"),
            models.Index(
                fields=["paused_at"], condition=models.Q(paused_at__isnull=False), name="function_paused"
            ),
        ]

    def __str__(self) -> str:
        return self.slug


class FunctionVersion(models.Model):
    """One distinct configuration of a function, valid from `created_at` until the next version."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="+")
    function = models.ForeignKey(Function, on_delete=models.CASCADE, related_name="versions")
    version = models.PositiveIntegerField()
    config = models.TextField()
    config_hash = models.CharField(max_length=64)
    sync = models.ForeignKey(Sync, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["function", "version"], name="function_version_unique")
        ]

    def __str__(self) -> str:
        return f"{self.function_id} v{self.version}"
