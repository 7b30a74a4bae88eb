"""Where single sign-on becomes a must, sessions that began in another way end (spec 05, 2.7)."""

from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends.db import SessionStore
from django.db.models import Q, QuerySet

from apps.identity.models import User
from apps.signin.beginnings import signed_in_with
from apps.signin.models import SsoConnection
from apps.tenancy.models import Membership, Role


def sessions_end_outside(connection: SsoConnection) -> int:
    """End each session of the people who must use `connection` that did not begin with it; how many ended.

    Owners of the organisation are exempt, as in signing in: somebody has to be able to repair it.
    """
    ended = 0
    for session in UserSession.objects.filter(user__in=_must_use(connection)).iterator():
        if not signed_in_with(_content(session.session_key), connection.provider_id):
            session.end()
            ended += 1
    return ended


def _must_use(connection: SsoConnection) -> QuerySet[User]:
    of_domains = Q(pk__in=[])  # nobody
    for domain in connection.domains.filter(verified_at__isnull=False).values_list("domain", flat=True):
        of_domains |= Q(email__iendswith=f"@{domain}")
    owners = Membership.objects.filter(account_id=connection.account_id, role=Role.OWNER)
    return User.objects.filter(of_domains).exclude(pk__in=owners.values("user_id"))


def _content(session_key: str) -> dict[str, Any]:
    content: dict[str, Any] = SessionStore(session_key).load()
    return content
