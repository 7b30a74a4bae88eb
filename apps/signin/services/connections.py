"""Setting up single sign-on: connections and the domains that they claim. Each change is in the audit log.

What somebody has deleted meanwhile raises ConnectionGone or DomainGone.
"""

import secrets
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.audit.services import Actor, audit_record
from apps.signin.models import SsoConnection, SsoDomain, SsoKind
from apps.signin.services.enforcing import sessions_end_outside
from apps.signin.services.erasing import identities_forget
from apps.signin.sso import dns
from apps.signin.sso.configuration import Config, OidcConfig, sealed
from apps.tenancy import locks
from apps.tenancy.models import Account, Role
from apps.tenancy.row_security import beyond_organisations

PROOF_PREFIX = "stepwell-verification="


class SsoError(Exception):
    """The change cannot be made."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.__doc__)


class NotADomain(SsoError):
    """That is not the name of a domain, such as example.com."""


class DomainTaken(SsoError):
    """Another connection has verified this domain."""


class NotProven(SsoError):
    """The domain's DNS has no such TXT record yet. New records can take an hour to be seen."""


class LookupFailed(SsoError):
    """No name server has answered. Try again in a moment."""


class NoDomain(SsoError):
    """Verify a domain first: single sign-on is for the people of verified domains."""


class OwnersAreMade(SsoError):
    """Single sign-on makes nobody an owner."""


class ConnectionGone(SsoError):
    """Somebody has deleted this connection meanwhile."""


class DomainGone(SsoError):
    """Somebody has removed this domain meanwhile."""


@transaction.atomic
def connection_create(
    *, account: Account, name: str, config: Config, actor: Actor, created_by_id: Any = None
) -> SsoConnection:
    """Disabled until a domain is verified and it is turned on."""
    connection = SsoConnection.objects.create(
        account=account,
        kind=SsoKind.OIDC if isinstance(config, OidcConfig) else SsoKind.SAML,
        name=name,
        config_encrypted=sealed(config),
        created_by_id=created_by_id,
    )
    _audit(connection, actor, "sso.create", after={"kind": connection.kind, "name": name})
    return connection


@transaction.atomic
def connection_configure(*, connection: SsoConnection, name: str, config: Config, actor: Actor) -> None:
    """Replace what is known of the identity provider."""
    _lock(connection)
    before = {"name": connection.name}
    connection.name, connection.config_encrypted = name, sealed(config)
    connection.save(update_fields=["name", "config_encrypted"])
    _audit(connection, actor, "sso.configure", before, {"name": name})


@transaction.atomic
def connection_set_policy(
    *,
    connection: SsoConnection,
    is_enabled: bool,
    is_enforced: bool,
    is_joining: bool,
    default_role: str,
    actor: Actor,
) -> None:
    """Raises NoDomain, OwnersAreMade. Enforcement ends with the connection being enabled; where it begins,
    sessions of the people concerned that began in another way end."""
    if default_role == Role.OWNER:
        raise OwnersAreMade
    _lock(connection)
    if is_enabled and not connection.domains.filter(verified_at__isnull=False).exists():
        raise NoDomain
    values = {
        "is_enabled": is_enabled,
        "is_enforced": is_enforced and is_enabled,
        "is_joining": is_joining,
        "default_role": default_role,
    }
    before = {name: getattr(connection, name) for name in values}
    for name, value in values.items():
        setattr(connection, name, value)
    connection.save(update_fields=list(values))
    _audit(connection, actor, "sso.policy", before, values)
    if connection.is_enforced and not before["is_enforced"]:
        sessions_end_outside(connection, actor)


@transaction.atomic
def connection_map_groups(
    *,
    connection: SsoConnection,
    group_attribute: str,
    group_roles: list[list[str]],
    actor: Actor,
    extra_scopes: str = "",
) -> None:
    """Which groups of the identity provider have which role, the first that fits; none: roles are given here.
    `extra_scopes` are asked for on top of the usual ones of OpenID Connect.

    Raises OwnersAreMade.
    """
    if any(role == Role.OWNER for _, role in group_roles):
        raise OwnersAreMade
    _lock(connection)
    values = {
        "group_attribute": group_attribute,
        "group_roles": group_roles,
        "extra_scopes": extra_scopes,
    }
    before = {name: getattr(connection, name) for name in values}
    for name, value in values.items():
        setattr(connection, name, value)
    connection.save(update_fields=list(values))
    _audit(connection, actor, "sso.groups", before, values)


@transaction.atomic
def connection_delete(*, connection: SsoConnection, actor: Actor) -> None:
    """Its users stay; those without a password reset it to sign in."""
    _lock(connection)
    _audit(connection, actor, "sso.delete", before={"name": connection.name})
    identities_forget(connection)
    connection.delete()


@transaction.atomic
def domain_add(*, connection: SsoConnection, domain: str, actor: Actor) -> SsoDomain:
    """Claim a domain; it counts once `domain_verify` has seen the proof. Raises NotADomain, DomainTaken."""
    name = domain.strip().lower().rstrip(".")
    if not dns.is_domain(name):
        raise NotADomain
    _lock(connection)
    verified = SsoDomain.objects.filter(domain=name, verified_at__isnull=False)
    with beyond_organisations():
        is_taken = verified.exclude(connection=connection).exists()
    if is_taken:
        raise DomainTaken
    row, is_new = SsoDomain.objects.get_or_create(
        connection=connection, domain=name, defaults={"token": secrets.token_hex(16)}
    )
    if is_new:
        _audit(connection, actor, "sso.domain_add", after={"domain": name})
    return row


def domain_verify(*, domain: SsoDomain, actor: Actor) -> None:
    """Look for the proof in DNS. Raises NotProven, LookupFailed, DomainTaken."""
    try:
        found = dns.txt_records(domain.domain)
    except dns.LookupFailed:
        raise LookupFailed from None
    if f"{PROOF_PREFIX}{domain.token}" not in (text.strip() for text in found):
        raise NotProven
    domain_approve(domain=domain, actor=actor, by="dns")


def domain_approve(*, domain: SsoDomain, actor: Actor, by: str = "operator") -> None:
    """Verified: by DNS, or by the word of the installation's operator. Raises DomainTaken."""
    if domain.verified_at is not None:
        return
    try:
        with transaction.atomic():
            _lock_domain(domain)
            domain.verified_at = timezone.now()
            domain.save(update_fields=["verified_at"])
            after = {"domain": domain.domain, "by": by}
            _audit(domain.connection, actor, "sso.domain_verify", after=after)
            if domain.connection.is_enforced:
                sessions_end_outside(domain.connection, actor)
    except IntegrityError:
        domain.verified_at = None
        raise DomainTaken from None


@transaction.atomic
def domain_remove(*, domain: SsoDomain, actor: Actor) -> None:
    """The last verified one takes the connection out of service."""
    connection = domain.connection
    _lock_domain(domain)
    domain.delete()
    _audit(connection, actor, "sso.domain_remove", before={"domain": domain.domain})
    if connection.is_enabled and not connection.domains.filter(verified_at__isnull=False).exists():
        connection_set_policy(
            connection=connection,
            is_enabled=False,
            is_enforced=False,
            is_joining=connection.is_joining,
            default_role=connection.default_role,
            actor=actor,
        )


def _lock(connection: SsoConnection) -> None:
    """With its account, and as it is now: what is read of it stays true until it is written."""
    locks.lock_account(connection.account_id)
    try:
        connection.refresh_from_db()
    except SsoConnection.DoesNotExist:
        raise ConnectionGone from None


def _lock_domain(domain: SsoDomain) -> None:
    _lock(domain.connection)
    try:
        domain.refresh_from_db(fields=["verified_at"])
    except SsoDomain.DoesNotExist:
        raise DomainGone from None


def _audit(
    connection: SsoConnection,
    actor: Actor,
    action: str,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    audit_record(
        account_id=connection.account_id,
        actor=actor,
        action=action,
        target_type="sso_connection",
        target_id=connection.id,
        target_label=connection.name,
        before=before,
        after=after,
    )
