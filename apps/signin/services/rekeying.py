"""What signing in keeps encrypted, moved to the first of the server's encryption keys (`manage.py rekey`)."""

from collections.abc import Iterator
from typing import Any

from allauth.mfa.models import Authenticator

from apps.credentials import secrets
from apps.credentials.services.rekeying import Rekeyed
from apps.signin.models import SsoConnection

# What the library stores through our adapter's `encrypt`, by type of factor.
_SECRETS = {Authenticator.Type.TOTP: "secret", Authenticator.Type.RECOVERY_CODES: "seed"}


def signin_rekey() -> Rekeyed:
    outcomes = [*_connections(), *_factors()]
    return Rekeyed(outcomes.count(True), outcomes.count(False))


def _connections() -> Iterator[bool]:
    for row in SsoConnection.objects.only("id", "config_encrypted"):
        again = _again(row.config_encrypted)
        if again is not None:
            SsoConnection.objects.filter(id=row.id).update(config_encrypted=again)
        yield again is not None


def _factors() -> Iterator[bool]:
    for row in Authenticator.objects.filter(type__in=_SECRETS):
        name = _SECRETS[row.type]
        data: dict[str, Any] = row.data
        again = _again(data[name])
        if again is not None:
            Authenticator.objects.filter(id=row.id, data=data).update(data=data | {name: again})
        yield again is not None


def _again(ciphertext: str) -> str | None:
    try:
        return secrets.encrypt(secrets.decrypt(ciphertext))
    except secrets.SecretUnreadable:
        return None
