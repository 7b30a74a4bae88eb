"""Where single sign-on becomes a must, sessions that began in another way end (spec 05, 2.7)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends.db import SessionStore
from django.db.models import Q, QuerySet

from apps.audit.services import Actor, audit_record
from apps.identity.models import User
from apps.signin.beginnings import signed_in_with
from apps.signin.models import SsoConnection
from apps.signin.services import sso
from apps.tenancy.models import Membership, Role
from apps.tenancy.row_security import beyond_organisations


def is_outside(user: User, session: Mapping[str, Any]) -> bool:
    """Whether single sign-on is a must for the user and the session begins, or began, in another way."""
    with beyond_organisations():
        connection = sso.required_connection(user)
    return connection is not None and not signed_in_with(session, connection.provider_id)


def sessions_end_outside(connection: SsoConnection, actor: Actor) -> None:
    """End each session of the people who must use `connection` that did not begin with it, on record.

    Owners of the organisation are exempt, as in signing in: somebody has to be able to repair it.
    """
    _end(connection, UserSession.objects.filter(user__in=_must_use(connection)), actor)


def sessions_end_of_former_owner(account_id: UUID, user_id: UUID, actor: Actor) -> None:
    """Who is about to be an owner no more is exempt no more."""
    user = User.objects.get(id=user_id)
    connection = sso.enforced_connection(user.email)
    if connection is not None and connection.account_id == account_id:
        _end(connection, UserSession.objects.filter(user=user), actor)


def _end(connection: SsoConnection, sessions: QuerySet[UserSession], actor: Actor) -> None:
    ended = 0
    for session in sessions.iterator():
        if not signed_in_with(_content(session.session_key), connection.provider_id):
            session.end()
            ended += 1
    if ended:
        _note(connection, actor, ended)


def _must_use(connection: SsoConnection) -> QuerySet[User]:
    of_domains = Q(pk__in=[])  # nobody
    for domain in connection.domains.filter(verified_at__isnull=False).values_list("domain", flat=True):
        of_domains |= Q(email__iendswith=f"@{domain}")
    owners = Membership.objects.filter(account_id=connection.account_id, role=Role.OWNER)
    return User.objects.filter(of_domains).exclude(pk__in=owners.values("user_id"))


def _content(session_key: str) -> dict[str, Any]:
    content: dict[str, Any] = SessionStore(session_key).load()
    return content


def _note(connection: SsoConnection, actor: Actor, ended: int) -> None:
    audit_record(
        account_id=connection.account_id,
        actor=actor,
        action="sso.sessions_end",
        target_type="sso_connection",
        target_id=connection.id,
        target_label=connection.name,
        after={"sessions": ended},
    )
