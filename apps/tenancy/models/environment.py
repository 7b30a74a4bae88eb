"""Environments (spec 05, 1.4 to 1.6)."""

import uuid

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from apps.tenancy.models.account import Account

DEV_ENVIRONMENT_ID = uuid.UUID("00000000-0000-4000-b000-000000000000")


# What production gets of an account's slots for each one of another environment, unless people decide else.
PRODUCTION_WEIGHT = 4


class EnvironmentType(models.TextChoices):
    PRODUCTION = "production"
    TEST = "test"
    BRANCH_PARENT = "branch_parent"
    BRANCH_CHILD = "branch_child"


class Environment(models.Model):
    """`name_norm` is what names are compared by; `slug` is immutable and part of URLs.

    Branches (`parent` set) use the keys of their parent. One is archived by itself at `auto_archive_at`,
    unless its `is_auto_archived` is off. One that was archived and is `delete_requested_at` is hidden until
    all of its data is gone.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="environments")
    parent = models.ForeignKey(
        "self", on_delete=models.CASCADE, null=True, blank=True, related_name="branches"
    )
    type = models.CharField(
        max_length=16, choices=EnvironmentType.choices, default=EnvironmentType.PRODUCTION
    )
    name = models.CharField(max_length=255)
    name_norm = models.CharField(max_length=255)
    slug = models.CharField(max_length=255)
    colour = models.CharField(max_length=16, blank=True)
    weight = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1)])
    last_synced_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    is_auto_archived = models.BooleanField(default=True)
    auto_archive_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    delete_requested_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "slug"], name="environment_slug_unique"),
            models.UniqueConstraint(
                fields=["account", "parent", "name_norm"],
                condition=Q(parent__isnull=False),
                name="environment_branch_unique",
            ),
        ]
        indexes = [models.Index(fields=["auto_archive_at"], name="environment_auto_archive")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_production(self) -> bool:
        return self.type == EnvironmentType.PRODUCTION

    @property
    def is_archived(self) -> bool:
        return self.archived_at is not None

    @property
    def key_owner_id(self) -> uuid.UUID:
        """The environment whose keys, signing keys and webhooks this one uses."""
        return self.parent_id or self.id
