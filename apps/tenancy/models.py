"""Accounts and their environments: the outer levels of the tenancy chain (spec 05, chapter 1)."""

import uuid

from django.core.validators import MinValueValidator
from django.db import models

DEV_ACCOUNT_ID = uuid.UUID("00000000-0000-4000-a000-000000000000")
DEV_ENVIRONMENT_ID = uuid.UUID("00000000-0000-4000-b000-000000000000")


class Account(models.Model):
    """A tenant. This row is the one place that says which shard of the queue it lives on.

    `concurrency_limit` bounds its steps at a time (None: STEPWELL_ACCOUNT_CONCURRENCY); while tenants
    compete, each gets a share of the workers in proportion to its `weight`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=200)
    shard = models.CharField(max_length=40, default="0", db_default="0")
    concurrency_limit = models.PositiveIntegerField(null=True, blank=True)
    weight = models.PositiveSmallIntegerField(default=1, db_default=1, validators=[MinValueValidator(1)])
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Environment(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="environments")
    name = models.CharField(max_length=200)
    slug = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "slug"], name="environment_slug_unique")]

    def __str__(self) -> str:
        return self.name
