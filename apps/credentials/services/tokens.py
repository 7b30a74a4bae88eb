"""Personal tokens (spec 05, 1.11): for a person's tools, in one organisation, bounded by the role there."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from apps.audit.services import Actor
from apps.credentials import formats, secrets
from apps.credentials.models import PersonalToken
from apps.credentials.permissions import permission_names
from apps.credentials.services import changes
from apps.identity.models import User
from apps.tenancy import locks
from apps.tenancy.exceptions import NotFound
from apps.tenancy.models import Account, Membership
from apps.tenancy.permissions import Permission
from apps.tenancy.services.guards import require_writable


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

    Raises InvalidName, InvalidPermissions, InvalidExpiry, NotFound for who is no member, AccountSuspended,
    AccountDeleting.
    """
    changes.refuse_past(expires_at)
    granted = permission_names(permissions)
    locked = locks.lock_account(account.id)
    require_writable(locked)
    if not Membership.objects.filter(account=locked, user=user).exists():
        raise NotFound
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
    changes.record(token, actor, "token.create", token.name, after={"permissions": granted})
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
