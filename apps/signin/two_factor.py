"""Whether a person is protected by a second factor, for organisations that insist on one."""

from allauth.mfa.models import Authenticator

from apps.identity.models import User

_FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def has_second_factor(user: User) -> bool:
    """An authenticator app or a passkey; recovery codes alone are none."""
    return bool(Authenticator.objects.filter(user=user, type__in=_FACTORS).exists())
