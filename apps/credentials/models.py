"""Credentials (spec 05, chapter 2): each is looked up by a keyed hash, and kept encrypted only where people
may see it again. Apps/credentials/secrets.py makes both."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.tenancy.models import Account, Environment


class KeySource(models.TextChoices):
    KEY = "key"
    INTEGRATION = "integration"
    WEBHOOK = "webhook"


class FilterMode(models.TextChoices):
    ALLOW = "allow"
    DENY = "deny"


class EventKey(models.Model):
    """Lets a sender deliver events to an environment; a webhook has a transform too (spec 05, 2.1 and 2.5).

    `filter_events` holds names or prefixes such as `orders/*`, `filter_ips` addresses and networks.
    `prefix` is what lists show of the value.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="event_keys")
    name = models.CharField(max_length=128)
    source = models.CharField(max_length=12, choices=KeySource.choices, default=KeySource.KEY)
    value_hash = models.CharField(max_length=64, unique=True)
    value_encrypted = models.TextField()
    prefix = models.CharField(max_length=16)
    filter_mode = models.CharField(max_length=5, choices=FilterMode.choices, default=FilterMode.DENY)
    filter_events = models.JSONField(default=list)
    filter_ips = models.JSONField(default=list)
    is_default = models.BooleanField(default=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)  # may lie ahead

    class Meta:
        indexes = [models.Index(fields=["environment", "source"], name="event_key_by_source")]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class SigningKeyState(models.TextChoices):
    ACTIVE = "active"
    PENDING = "pending"
    RETIRED = "retired"


class SigningKey(models.Model):
    """Authenticates SDKs and signs requests to apps (spec 05, 2.2).

    `bearer_hash` is the keyed hash of what an SDK presents: the SHA-256 of the key. A retired key is
    accepted, and signs nothing, until `retired_until`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="signing_keys")
    value_encrypted = models.TextField()
    bearer_hash = models.CharField(max_length=64, unique=True)
    prefix = models.CharField(max_length=24)
    state = models.CharField(max_length=8, choices=SigningKeyState.choices)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    activated_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)
    retired_until = models.DateTimeField(null=True, blank=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["environment"], condition=Q(state="active"), name="signing_key_active_unique"
            ),
            models.UniqueConstraint(
                fields=["environment"], condition=Q(state="pending"), name="signing_key_pending_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.prefix}… {self.state}"


class AppKeyUse(models.Model):
    """With which signing key an app last authenticated: whether it is ready for a rotation (spec 05, 2.2).

    No key of the app's row: the registry stands above, and an app that is gone does not matter here.
    """

    app_id = models.UUIDField(primary_key=True)
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="+")
    signing_key = models.ForeignKey(SigningKey, on_delete=models.CASCADE, related_name="uses")
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.app_id} with {self.signing_key_id}"


class ApiKey(models.Model):
    """For integrations (spec 05, 2.3): bound to one environment, or to all of the account, with permissions
    of its own. Shown once; `preview` is what lists show."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="api_keys")
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, null=True, related_name="+")
    name = models.CharField(max_length=128)
    value_hash = models.CharField(max_length=64, unique=True)
    preview = models.CharField(max_length=24)
    permissions = models.JSONField(default=list)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_ip = models.GenericIPAddressField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "name"], condition=Q(revoked_at__isnull=True), name="api_key_name_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.preview})"


class PersonalToken(models.Model):
    """For a person's tools: what it may do is bounded by `permissions` and by the person's role."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=128)
    value_hash = models.CharField(max_length=64, unique=True)
    preview = models.CharField(max_length=24)
    permissions = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.preview})"
