"""Personal tokens (spec 05, 1.11): for a person's tools, in one organisation, bounded by the role there."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils import timezone

from apps.audit.services import Actor
from apps.credentials import formats, secrets
from apps.credentials.exceptions import BeyondRole, TokenLimit
from apps.credentials.models import PersonalToken
from apps.credentials.permissions import grantable_to, permission_names
from apps.credentials.services import changes
from apps.identity.models import User
from apps.tenancy import locks
from apps.tenancy.exceptions import NotFound
from apps.tenancy.models import Account, Membership, Role
from apps.tenancy.permissions import Permission
from apps.tenancy.services.guards import require_writable

MAX_TOKENS: Final = 50  # of a person in an organisation


@transaction.atomic
def token_create(
    *,
    account: Account,
    user: User,
    name: str,
    permissions: Iterable[Permission],
    actor: Actor,
    expires_at: datetime | None = None,
) -> tuple[PersonalToken, str]:
    """The token and its plaintext, which nobody sees again.

    Raises InvalidName, InvalidPermissions, BeyondRole, InvalidExpiry, TokenLimit, NotFound for who is no
    member, AccountSuspended, AccountDeleting.
    """
    changes.refuse_past(expires_at)
    granted = permission_names(permissions)
    locked = locks.lock_account(account.id)
    require_writable(locked)
    _refuse_beyond_role(locked, user, granted)
    if PersonalToken.objects.filter(account=locked, user=user, revoked_at=None).count() >= MAX_TOKENS:
        raise TokenLimit
    plaintext = formats.new_token()
    token = PersonalToken.objects.create(
        account=locked,
        user=user,
        name=changes.cleaned_name(name),
        value_hash=secrets.keyed_hash(plaintext),
        preview=formats.secret_preview(plaintext),
        permissions=granted,
        expires_at=expires_at,
    )
    changes.announce(token)
    after = {"permissions": granted, "expires_at": expires_at}
    changes.record(token, actor, "token.create", token.name, after=after)
    return token, plaintext


@transaction.atomic
def token_revoke(*, token: PersonalToken, actor: Actor) -> PersonalToken:
    """At once, for good. Idempotent."""
    locks.lock_account(token.account_id)
    row = PersonalToken.objects.get(id=token.id)
    if row.revoked_at is None:
        row.revoked_at = timezone.now()
        row.save(update_fields=["revoked_at"])
        changes.announce(row)
        changes.record(row, actor, "token.revoke", row.name)
    return row


def _refuse_beyond_role(account: Account, user: User, names: Iterable[str]) -> None:
    """Raises BeyondRole, naming what the role lacks; NotFound for who is no member."""
    membership = Membership.objects.filter(account=account, user=user).first()
    if membership is None:
        raise NotFound
    role = Role(membership.role)
    own = {permission.value for permission in grantable_to(role)}
    if lacking := [name for name in names if name not in own]:
        raise BeyondRole(f"Your role in {account.name}, {role.label}, lacks {', '.join(lacking)}.")
