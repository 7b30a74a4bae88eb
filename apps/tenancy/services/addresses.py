"""Which e-mail addresses are a person's own."""

from django.apps import apps

from apps.identity.models import User


def owns_address(user: User, email: str) -> bool:
    """Whether it is what the user signs in with, or another address that they have verified.

    Who signs in with the invited address holds the link that only went there, which is proof enough.
    """
    if user.email == email:
        return True
    if not apps.is_installed("allauth.account"):
        return False
    from allauth.account.models import EmailAddress

    return bool(EmailAddress.objects.filter(user=user, email__iexact=email, verified=True).exists())
