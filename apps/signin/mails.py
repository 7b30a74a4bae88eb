"""Mails of our own; the library sends those about passwords, addresses and factors."""

from django.conf import settings
from django.template.loader import render_to_string

from apps.identity.letters import letter
from apps.tenancy.services.invitations import Invited


def invitation_url(token: str) -> str:
    """From the configured address, not from the Host header of whoever invites."""
    return f"{settings.STEPWELL_BASE_URL.rstrip('/')}/invite/{token}"


def send_invitation(invited: Invited) -> bool:
    """False where no mail server is configured: then whoever invites passes the link on.

    Raises what the mail server's refusal raises (OSError, smtplib.SMTPException is one).
    """
    if not settings.IS_MAIL_CONFIGURED:
        return False
    invitation = invited.invitation
    context = {"invitation": invitation, "url": invitation_url(invited.token)}
    subject = f"Stepwell: {invitation.account.name} invites you"
    text = render_to_string("signin/mail/invitation.txt", context)
    letter(subject, text, [invitation.email], action="See the invitation").send()
    return True
