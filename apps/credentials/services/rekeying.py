"""Moving stored credentials to the first of the server's encryption keys."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from apps.credentials import formats, secrets
from apps.credentials.models import EventKey, SigningKey


class Rekeyed(NamedTuple):
    """`unreadable` rows were encrypted with none of the server's keys, and stay as they are."""

    rewritten: int
    unreadable: int


_others: list[Callable[[], Rekeyed]] = []


def on_rekey(act: Callable[[], Rekeyed]) -> Callable[[], Rekeyed]:
    """`act()` encrypts again what an app above keeps; registered by that app's `ready`."""
    if act not in _others:
        _others.append(act)
    return act


def credentials_rekey() -> Rekeyed:
    """Encrypt and hash again what can be read. Idempotent, and safe while the server runs.

    API keys and tokens are kept as hashes only: they are found by an old key until they are replaced.
    """
    values: Iterable[EventKey | SigningKey] = [
        *EventKey.objects.only("id", "value_encrypted"),
        *SigningKey.objects.only("id", "value_encrypted"),
    ]
    outcomes = [_rewrite(row) for row in values]
    others = [act() for act in _others]
    return Rekeyed(
        outcomes.count(True) + sum(other.rewritten for other in others),
        outcomes.count(False) + sum(other.unreadable for other in others),
    )


def _rewrite(row: EventKey | SigningKey) -> bool:
    """False where the row is unreadable."""
    try:
        value = secrets.decrypt(row.value_encrypted)
    except secrets.SecretUnreadable:
        return False
    encrypted = secrets.encrypt(value)
    if isinstance(row, EventKey):
        hashed = secrets.keyed_hash(value)
        EventKey.objects.filter(id=row.id).update(value_encrypted=encrypted, value_hash=hashed)
    else:
        hashed = secrets.keyed_hash(formats.bearer_hash(value))
        SigningKey.objects.filter(id=row.id).update(value_encrypted=encrypted, bearer_hash=hashed)
    return True
