"""Accounts and their environments: the outer levels of the tenancy chain (spec 05, chapter 1)."""

import uuid

from django.db import models

DEV_ACCOUNT_ID = uuid.UUID("00000000-0000-4000-a000-000000000000")
DEV_ENVIRONMENT_ID = uuid.UUID("00000000-0000-4000-b000-000000000000")


class Account(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=200)
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
