"""Signing keys (spec 05, 2.2): one active, at most one pending, and retired ones for their time of grace."""

from datetime import timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from apps.audit.services import Actor
from apps.credentials import formats, secrets
from apps.credentials.exceptions import (
    CredentialNotFound,
    NoPendingKey,
    PendingKeyExists,
    ReasonRequired,
)
from apps.credentials.models import SigningKey, SigningKeyState
from apps.credentials.notices import emergency_rotation_notice
from apps.credentials.services import changes
from apps.tenancy.models import Environment, EnvironmentType

GRACE: Final = timedelta(hours=24)


@transaction.atomic
def signing_key_create_pending(*, environment: Environment, actor: Actor) -> SigningKey:
    """The key that the next rotation makes the active one; apps may authenticate with it at once.

    Raises PendingKeyExists, KeysOfParent, AccountSuspended, AccountDeleting.
    """
    changes.lock_writable(environment)
    if SigningKey.objects.filter(environment=environment, state=SigningKeyState.PENDING).exists():
        raise PendingKeyExists
    key = signing_key_add(environment, SigningKeyState.PENDING, actor)
    changes.record(key, actor, "key.signing.create", key.prefix)
    return key


@transaction.atomic
def signing_key_delete_pending(*, environment: Environment, actor: Actor) -> None:
    """Raises NoPendingKey."""
    changes.lock_writable(environment)
    key = SigningKey.objects.filter(environment=environment, state=SigningKeyState.PENDING).first()
    if key is None:
        raise NoPendingKey
    changes.announce(key)
    changes.record(key, actor, "key.signing.delete", key.prefix)
    key.delete()


@transaction.atomic
def signing_key_rotate(
    *,
    environment: Environment,
    actor: Actor,
    grace: timedelta = GRACE,
    reason: str = "",
    is_emergency: bool = False,
) -> SigningKey:
    """Make the pending key the active one. The old one signs nothing any more, and is accepted for the time
    of grace; in an emergency not at all, which needs a reason and is told to the security address.

    Whether all apps are ready is for the caller to ask (apps/registry/readiness.py).
    Raises NoPendingKey, ReasonRequired.
    """
    if is_emergency and not reason.strip():
        raise ReasonRequired
    account = changes.lock_writable(environment)
    pending = SigningKey.objects.filter(environment=environment, state=SigningKeyState.PENDING).first()
    if pending is None:
        raise NoPendingKey
    now = timezone.now()
    until = now if is_emergency else now + max(grace, timedelta(0))
    SigningKey.objects.filter(environment=environment, state=SigningKeyState.ACTIVE).update(
        state=SigningKeyState.RETIRED, retired_at=now, retired_until=until
    )
    pending.state, pending.activated_at = SigningKeyState.ACTIVE, now
    pending.save(update_fields=["state", "activated_at"])
    changes.announce(pending)
    if is_emergency:
        emergency_rotation_notice(account, environment, reason.strip(), actor)
    after = {"retired_until": until, "is_emergency": is_emergency, "reason": reason.strip()}
    changes.record(pending, actor, "key.signing.rotate", pending.prefix, after=after)
    return pending


@transaction.atomic
def signing_key_revoke_retired(*, signing_key: SigningKey, actor: Actor) -> SigningKey:
    """End the time of grace of a retired key now. Idempotent. Raises CredentialNotFound for any other key."""
    changes.lock_writable(signing_key.environment)
    key = SigningKey.objects.filter(id=signing_key.id, state=SigningKeyState.RETIRED).first()
    if key is None:
        raise CredentialNotFound
    now = timezone.now()
    if key.retired_until is not None and key.retired_until <= now:
        return key
    before, key.retired_until = key.retired_until, now
    key.save(update_fields=["retired_until"])
    changes.announce(key)
    changes.record(
        key, actor, "key.signing.revoke", key.prefix, {"retired_until": before}, {"retired_until": now}
    )
    return key


@transaction.atomic
def signing_key_reveal(*, signing_key: SigningKey, actor: Actor) -> str:
    """The value, on record. Raises SecretUnreadable."""
    value = secrets.decrypt(signing_key.value_encrypted)
    changes.record(signing_key, actor, "key.signing.reveal", signing_key.prefix)
    return value


def signing_key_add(environment: Environment, state: SigningKeyState, actor: Actor) -> SigningKey:
    """A new row; the caller records it."""
    value = formats.new_signing_key(EnvironmentType(environment.type))
    key = SigningKey.objects.create(
        account_id=environment.account_id,
        environment=environment,
        value_encrypted=secrets.encrypt(value),
        bearer_hash=secrets.keyed_hash(formats.bearer_hash(value)),
        prefix=formats.signing_key_prefix(value),
        state=state,
        created_by=changes.creator_of(actor),
        activated_at=timezone.now() if state == SigningKeyState.ACTIVE else None,
    )
    changes.announce(key)
    return key
