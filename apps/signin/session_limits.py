"""How long sessions last: the strictest of what a person's organisations ask for (spec 05, 2.7), and the
server's own STEPWELL_SESSION_DAYS."""

import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db.models import Min
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from apps.identity.models import User
from apps.signin.beginnings import signed_in_at
from apps.signin.services.enforcing import is_outside
from apps.tenancy.models import Account


def is_live(user_id: UUID, session_key: str) -> bool:
    """Whether the session signs the user in, as the next request would find it; asking is no use of it."""
    store = SessionStore(session_key)
    stored = store.load()
    user = User.objects.filter(id=user_id, is_active=True).first()
    if user is None or store.session_key is None:
        return False
    return _has_password_of(user, stored) and not is_over(user, session_key, stored)


def _has_password_of(user: User, session: Mapping[str, Any]) -> bool:
    """A new password ends the sessions that began with the old one."""
    presented = session.get(HASH_SESSION_KEY)
    valid = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    return presented is None or any(constant_time_compare(presented, known) for known in valid)


def is_over(user: User, session_key: str, session: Mapping[str, Any]) -> bool:
    """Whether it began too long ago, or was last used too long ago, for one of the user's organisations, or
    in another way than the single sign-on that is a must by now."""
    return is_outside(user, session) or _is_too_old(user, session_key, session)


def _is_too_old(user: User, session_key: str, session: Mapping[str, Any]) -> bool:
    limits = Account.objects.filter(memberships__user=user).aggregate(
        hours=Min("session_hours"), idle_minutes=Min("session_idle_minutes")
    )
    hours, idle_minutes = limits["hours"], limits["idle_minutes"]
    if hours is None and idle_minutes is None:
        return False
    row = UserSession.objects.filter(session_key=session_key).first()
    began = signed_in_at(session) or (row.created_at.timestamp() if row else None)
    if hours is not None and began is not None and time.time() - began > hours * 3600:
        return True
    if idle_minutes is None or row is None:
        return False
    return bool((timezone.now() - row.last_seen_at).total_seconds() > idle_minutes * 60)
