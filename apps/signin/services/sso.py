"""Single sign-on: who may, who must, and what a sign-in leads to (spec 05, 2.7)."""

from collections.abc import Collection, Iterable

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.audit.http import actor_from, actor_of
from apps.audit.models import ActorKind
from apps.audit.services import audit_record
from apps.identity.models import User
from apps.signin.limits import is_over_limit
from apps.signin.models import SsoConnection, SsoDomain, connection_id_of
from apps.tenancy import locks
from apps.tenancy.announcements import announce_change
from apps.tenancy.models import Membership, Role

NOT_ASSERTED = "Your identity provider has not said which e-mail address is yours."
FOREIGN_ADDRESS = "Your identity provider answered with an address outside of its organisation's domains."
NOT_INVITED = "You are not a member of this organisation. Ask one of its owners or admins to invite you."
UNKNOWN = "This single sign-on is not set up any more."


def domain_of(email: str) -> str:
    return email.rpartition("@")[2].strip().lower()


def connection_for(email: str) -> SsoConnection | None:
    """The enabled connection that has verified the address's domain."""
    verified = SsoDomain.objects.filter(
        domain=domain_of(email), verified_at__isnull=False, connection__is_enabled=True
    )
    found = verified.select_related("connection__account").first()
    return found.connection if found else None


def enforced_connection(email: str) -> SsoConnection | None:
    connection = connection_for(email)
    return connection if connection is not None and connection.is_enforced else None


def must_use_sso(user: User) -> bool:
    return required_connection(user) is not None


def required_connection(user: User) -> SsoConnection | None:
    """Nothing else signs the user in. Owners of the organisation keep their passwords: somebody has to be
    able to repair the connection."""
    connection = enforced_connection(user.email)
    if connection is None or _memberships(user, connection).filter(role=Role.OWNER).exists():
        return None
    return connection


def refusal(provider_id: str, emails: Iterable[str], user: User | None) -> str:
    """Why an answer of the identity provider does not sign anyone in; empty when it does.

    `user` is who the answer was found to belong to, if that user exists.
    """
    connection = by_provider_id(provider_id)
    return UNKNOWN if connection is None else refusal_by(connection, emails, user)


def refusal_by(connection: SsoConnection, emails: Iterable[str], user: User | None) -> str:
    """`refusal` of a connection in any state."""
    asserted = {domain_of(email) for email in emails}
    if not asserted:
        return NOT_ASSERTED
    owned = _owned_domains(connection)
    if not asserted <= owned or (user is not None and domain_of(user.email) not in owned):
        return FOREIGN_ADDRESS
    is_member = user is not None and _memberships(user, connection).exists()
    return "" if is_member or connection.is_joining else NOT_INVITED


@transaction.atomic
def join(*, request: HttpRequest, user: User, provider_id: str, groups: Collection[str] = ()) -> None:
    """Make the user a member of the connection's organisation, with the role of its groups. Members stay what
    they are, unless groups decide about roles: then they follow those, owners excepted. A read-only
    organisation changes nothing."""
    connection = by_provider_id(provider_id)
    if connection is None or not locks.lock_account(connection.account_id).is_writable:
        return
    role = role_of(connection, groups)
    membership = _memberships(user, connection).first()
    if membership is None:
        if connection.is_joining:
            Membership.objects.create(account_id=connection.account_id, user=user, role=role)
            _note_member(request, user, connection, "member.join", None, role)
    elif connection.group_roles and membership.role not in (role, Role.OWNER):
        before, membership.role = membership.role, role
        membership.save(update_fields=["role"])
        _note_member(request, user, connection, "member.role", before, role)


def role_of(connection: SsoConnection, groups: Collection[str]) -> str:
    """That of the first group that has one."""
    fitting = [role for group, role in connection.group_roles if group in groups]
    return fitting[0] if fitting else connection.default_role


def _note_member(
    request: HttpRequest, user: User, connection: SsoConnection, action: str, before: str | None, role: str
) -> None:
    audit_record(
        account_id=connection.account_id,
        actor=actor_of(request),
        action=action,
        target_type="user",
        target_id=user.id,
        target_label=user.email,
        before={"role": before} if before else None,
        after={"role": role, "by": connection.name},
    )
    announce_change(connection.account_id)


def note_failure(request: HttpRequest, provider_id: str) -> None:
    """Into the audit log of the organisation: an answer of its identity provider was refused. Anybody can
    send such answers, so only the first ten of a minute are noted."""
    connection = by_provider_id(provider_id)
    if connection is not None and not is_over_limit(request, "sso_failure", "10/m/key", provider_id):
        audit_record(
            account_id=connection.account_id,
            actor=actor_from(request, ActorKind.SYSTEM, "", "single sign-on"),
            action="sso.sign_in",
            target_type="sso_connection",
            target_id=connection.id,
            target_label=connection.name,
            is_success=False,
        )


def by_provider_id(provider_id: str) -> SsoConnection | None:
    """None when it is not set up, or disabled."""
    enabled = SsoConnection.objects.filter(is_enabled=True, id=connection_id_of(provider_id))
    return enabled.select_related("account").first()


def _memberships(user: User, connection: SsoConnection) -> QuerySet[Membership]:
    return Membership.objects.filter(user=user, account_id=connection.account_id)


def _owned_domains(connection: SsoConnection) -> set[str]:
    rows = connection.domains.filter(verified_at__isnull=False)
    return set(rows.values_list("domain", flat=True))
