"""Who belongs to an account, as what (spec 05, 1.2 and 1.3)."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from apps.tenancy.models.account import Account
from apps.tenancy.models.environment import Environment


class Role(models.TextChoices):
    """What each may do is in apps/tenancy/permissions.py."""

    OWNER = "owner"
    ADMIN = "admin"
    DEVELOPER = "developer"
    OPERATOR = "operator"
    VIEWER = "viewer"
    BILLING = "billing"
    AUDITOR = "auditor"


class Membership(models.Model):
    """`environments` are those that a restricted member sees, branches of theirs too. It may have got empty
    since: then the member sees none."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices)
    is_restricted = models.BooleanField(default=False)
    environments = models.ManyToManyField(Environment, blank=True, related_name="+")
    joined_at = models.DateTimeField(auto_now_add=True)
    last_active_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "user"], name="membership_unique")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role} of {self.account_id}"


class InvitationState(models.TextChoices):
    PENDING = "pending"
    ACCEPTED = "accepted"
    REVOKED = "revoked"


class Invitation(models.Model):
    """An e-mail address that may join; a pending one is expired after `expires_at`. Of its token only the
    hash is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=16, choices=Role.choices)
    is_restricted = models.BooleanField(default=False)
    environments = models.ManyToManyField(Environment, blank=True, related_name="+")
    token_hash = models.CharField(max_length=64, unique=True)
    state = models.CharField(max_length=12, choices=InvitationState.choices, default=InvitationState.PENDING)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "email"], condition=Q(state="pending"), name="invitation_pending_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.email} to {self.account_id}"

    @property
    def is_expired(self) -> bool:
        return self.state == InvitationState.PENDING and self.expires_at <= timezone.now()
