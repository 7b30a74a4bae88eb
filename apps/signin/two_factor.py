"""Whether a person is protected by a second factor, for organisations that insist on one."""

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.http import HttpRequest, HttpResponse

from apps.identity.models import User
from apps.signin.places import lead_away
from apps.tenancy.models import Account

_FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def has_second_factor(user: User) -> bool:
    """An authenticator app or a passkey; recovery codes alone are none."""
    return bool(Authenticator.objects.filter(user=user, type__in=_FACTORS).exists())


def ask_for_second_factor(request: HttpRequest, user: User, account: Account) -> HttpResponse | None:
    """The way to set one up, where the organisation wants one of everybody who sees anything of it."""
    if not account.requires_two_factor or has_second_factor(user):
        return None
    messages.error(request, f"{account.name} wants you to have a second factor. Set one up here.")
    return lead_away(request, "/profile/security")
