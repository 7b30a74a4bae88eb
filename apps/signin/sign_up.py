"""The library's sign-up form with our rules of who may sign up."""

from allauth.account.forms import SignupForm
from allauth.core import context
from django.conf import settings
from django.forms import ValidationError

from apps.signin import invitations
from apps.signin.services import sso


class SignUpForm(SignupForm):  # type: ignore[misc]  # allauth ships no types
    def clean_email(self) -> str:
        """Not an address that single sign-on answers for; where only the invited sign up, the invited one."""
        email: str = super().clean_email()
        if sso.enforced_connection(email) is not None:
            raise ValidationError("People of this domain sign in with single sign-on.")
        if settings.STEPWELL_SIGN_UP == "invitation":
            invitation = invitations.remembered(context.request)
            if invitation is None or invitation.email != email:
                raise ValidationError("Use the address that the invitation was sent to.")
        return email
