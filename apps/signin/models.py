"""What signing in needs besides users: the token of a fresh server, and single sign-on of organisations."""

import re
import uuid

from django.conf import settings
from django.db import models

from apps.tenancy.models import Account, Role

_PROVIDER_ID = re.compile("sso-([0-9a-f]{32})")


class SetupToken(models.Model):
    """Lets whoever reads the log of a fresh server become its owner. Only the hash is kept, and nothing once
    a user exists."""

    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"setup token of {self.created_at}"


class SsoKind(models.TextChoices):
    OIDC = "oidc", "OpenID Connect"
    SAML = "saml", "SAML 2.0"


USUAL_SCOPES = ("openid", "profile", "email")


def connection_id_of(provider_id: str) -> uuid.UUID:
    """The connection that a provider id names; the nil UUID, which none has, for anything else."""
    found = _PROVIDER_ID.fullmatch(provider_id)
    return uuid.UUID(found[1] if found else "0" * 32)


class SsoConnection(models.Model):
    """An identity provider of an organisation, for the domains that it has proven to own.

    `is_enforced`: people of these domains sign in this way only, except owners of the organisation, who could
    not repair it otherwise. `is_joining`: who signs in becomes a member with `default_role`.
    `group_roles` is a list of [group, role]: the first whose group the provider's `group_attribute` names is
    the role of who signs in, else `default_role`; empty: roles are given here. `extra_scopes`, with spaces
    between them, are asked for on top of `USUAL_SCOPES`.
    `config_encrypted` is the JSON of apps/signin/sso/configuration.py.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="sso_connections")
    kind = models.CharField(max_length=4, choices=SsoKind.choices)
    name = models.CharField(max_length=64)
    config_encrypted = models.TextField()
    is_enabled = models.BooleanField(default=False)
    is_enforced = models.BooleanField(default=False)
    is_joining = models.BooleanField(default=True)
    default_role = models.CharField(max_length=16, choices=Role.choices, default=Role.VIEWER)
    group_attribute = models.CharField(max_length=191, default="groups")
    group_roles = models.JSONField(default=list, blank=True)
    extra_scopes = models.CharField(max_length=500, blank=True, default="")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.name} of {self.account_id}"

    @property
    def provider_id(self) -> str:
        """What allauth files its users under, and what its URLs carry."""
        return f"sso-{self.id.hex}"


class SsoDomain(models.Model):
    """A domain of mail addresses that a connection claims. It counts once verified; one connection at most
    can have verified a domain."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    connection = models.ForeignKey(SsoConnection, on_delete=models.CASCADE, related_name="domains")
    domain = models.CharField(max_length=253)
    token = models.CharField(max_length=64)
    verified_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "domain"], name="sso_domain_unique"),
            models.UniqueConstraint(
                fields=["domain"],
                condition=models.Q(verified_at__isnull=False),
                name="sso_domain_verified_once",
            ),
        ]

    def __str__(self) -> str:
        return self.domain
