"""API keys (spec 05, 2.3): for integrations, with permissions of their own, shown once."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from apps.audit.services import Actor
from apps.credentials import formats, secrets
from apps.credentials.exceptions import CredentialNotFound, NameTaken
from apps.credentials.models import ApiKey
from apps.credentials.permissions import permission_names
from apps.credentials.services import changes
from apps.tenancy import locks
from apps.tenancy.models import Account, Environment
from apps.tenancy.permissions import Permission
from apps.tenancy.services.guards import require_writable


@transaction.atomic
def api_key_create(
    *,
    account: Account,
    environment: Environment | None,
    name: str,
    permissions: Iterable[Permission],
    actor: Actor,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """The key and its plaintext, which nobody sees again. Without an environment it is good for all of them;
    that of a parent of branches is good for each branch.

    Raises InvalidName, NameTaken, InvalidPermissions, InvalidExpiry, KeyLimit, KeysOfParent, NotFound,
    AccountSuspended, AccountDeleting.
    """
    changes.refuse_past(expires_at)
    granted = permission_names(permissions)
    locked = _lock(account, environment)
    cleaned = changes.cleaned_name(name)
    _refuse_taken(locked, cleaned)
    live = ApiKey.objects.filter(account=locked, revoked_at__isnull=True)
    changes.refuse_beyond(locked, "api_keys", live.count())
    plaintext = formats.new_api_key()
    key = ApiKey.objects.create(
        account=locked,
        environment=environment,
        name=cleaned,
        value_hash=secrets.keyed_hash(plaintext),
        preview=formats.secret_preview(plaintext),
        permissions=granted,
        expires_at=expires_at,
        created_by=changes.creator_of(actor),
    )
    changes.announce(key)
    after = {"name": cleaned, "permissions": granted, "expires_at": expires_at}
    changes.record(key, actor, "key.api.create", cleaned, after=after)
    return key, plaintext


@transaction.atomic
def api_key_rename(*, api_key: ApiKey, name: str, actor: Actor) -> ApiKey:
    """Raises InvalidName, NameTaken, CredentialNotFound."""
    cleaned = changes.cleaned_name(name)
    locked = _lock(api_key.account, None)
    key = ApiKey.objects.filter(id=api_key.id, revoked_at__isnull=True).first()
    if key is None:
        raise CredentialNotFound
    if key.name == cleaned:
        return key
    _refuse_taken(locked, cleaned)
    before, key.name = key.name, cleaned
    key.save(update_fields=["name"])
    changes.announce(key)
    changes.record(key, actor, "key.api.rename", cleaned, {"name": before}, {"name": cleaned})
    return key


@transaction.atomic
def api_key_revoke(*, api_key: ApiKey, actor: Actor) -> ApiKey:
    """At once, for good. Idempotent."""
    locks.lock_account(api_key.account_id)
    key = ApiKey.objects.get(id=api_key.id)
    if key.revoked_at is None:
        key.revoked_at = timezone.now()
        key.save(update_fields=["revoked_at"])
        changes.announce(key)
        changes.record(key, actor, "key.api.revoke", key.name)
    return key


def _lock(account: Account, environment: Environment | None) -> Account:
    if environment is not None:
        if environment.account_id != account.id:
            raise CredentialNotFound
        return changes.lock_writable(environment)
    locked = locks.lock_account(account.id)
    require_writable(locked)
    return locked


def _refuse_taken(account: Account, name: str) -> None:
    if ApiKey.objects.filter(account=account, name=name, revoked_at__isnull=True).exists():
        raise NameTaken
