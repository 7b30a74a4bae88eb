"""Accounts, which people know as organisations."""

import uuid

from django.core.validators import MinValueValidator
from django.db import models

# The account of a server without tenants of its own: of dev mode, and of the keys that `start` is given.
DEV_ACCOUNT_ID = uuid.UUID("00000000-0000-4000-a000-000000000000")


class AccountStatus(models.TextChoices):
    ACTIVE = "active"
    SUSPENDED = "suspended"  # by the operator: reads stay allowed
    DELETING = "deleting"  # read-only until `delete_at`, then gone


class Account(models.Model):
    """A tenant. This row is the one place that says which shard of the queue it lives on.

    `concurrency_limit` bounds its steps at a time (None: STEPWELL_ACCOUNT_CONCURRENCY); while tenants
    compete, each gets a share of the workers in proportion to its `weight`. `slug` is part of its URLs.
    Sessions of members end `session_hours` after sign-in and `session_idle_minutes` after their last request
    (None: as the server has it); members see its pages only from `allowed_networks`, where there are any.
    `entitlements` holds the limits that differ from the server's (apps/tenancy/entitlements.py).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=60, unique=True)
    status = models.CharField(max_length=12, choices=AccountStatus.choices, default=AccountStatus.ACTIVE)
    billing_email = models.EmailField(blank=True)
    security_email = models.EmailField(blank=True)
    requires_two_factor = models.BooleanField(default=False)
    session_hours = models.PositiveSmallIntegerField(null=True, blank=True)
    session_idle_minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    allowed_networks = models.JSONField(default=list, blank=True)
    allows_support_access = models.BooleanField(default=True)
    branch_archive_days = models.PositiveSmallIntegerField(default=3)
    shard = models.CharField(max_length=40, default="0", db_default="0")
    concurrency_limit = models.PositiveIntegerField(null=True, blank=True)
    weight = models.PositiveSmallIntegerField(default=1, db_default=1, validators=[MinValueValidator(1)])
    entitlements = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    delete_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name

    @property
    def is_writable(self) -> bool:
        return self.status == AccountStatus.ACTIVE
