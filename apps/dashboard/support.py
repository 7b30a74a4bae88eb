"""An operator of the server looks into an organisation: read-only, for an hour, on record, and only where
the organisation allows it (spec 05, 5.8)."""

import time
from collections.abc import Mapping
from typing import Any, Final

from django.http import HttpRequest

from apps.audit.actors import Actor
from apps.audit.http import actor_from
from apps.audit.models import ActorKind
from apps.audit.services import audit_record
from apps.identity.models import User
from apps.tenancy.access import Access, support_access_for
from apps.tenancy.exceptions import NotFound
from apps.tenancy.models import Account

SECONDS: Final = 3600
_KEY: Final = "support"  # in the session: account id, slug, and when it ends, in seconds since the epoch


def begin_support(request: HttpRequest, user: User, account: Account) -> None:
    """Raises NotFound where the organisation does not allow it, or the user is no operator."""
    support_access_for(user, account.slug)
    request.session[_KEY] = {"id": str(account.id), "slug": account.slug, "until": time.time() + SECONDS}
    _record(request, user, account, "support.start")


def end_support(request: HttpRequest, user: User) -> None:
    """Does nothing where there is nothing to end."""
    begun = request.session.pop(_KEY, None)
    account = Account.objects.filter(id=begun["id"]).first() if begun else None
    if account is not None:
        _record(request, user, account, "support.stop")


def access_of_support(request: HttpRequest, user: User, org: str, env: str | None) -> Access | None:
    return access_by_session(request.session, user, org, env)


def access_by_session(session: Mapping[str, Any], user: User, org: str, env: str | None) -> Access | None:
    """While the look that the session tells of lasts."""
    begun = session.get(_KEY)
    if begun is None or begun["slug"] != org or begun["until"] <= time.time():
        return None
    try:
        return support_access_for(user, org, env)
    except NotFound:
        return None


def _record(request: HttpRequest, user: User, account: Account, action: str) -> None:
    audit_record(
        account_id=account.id,
        actor=_actor(request, user),
        action=action,
        target_type="account",
        target_id=account.id,
        target_label=account.name,
        after={"seconds": SECONDS} if action == "support.start" else None,
    )


def _actor(request: HttpRequest, user: User) -> Actor:
    return actor_from(request, ActorKind.SUPPORT, str(user.id), user.email)
