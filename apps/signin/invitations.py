"""The invitation that a visitor came with, remembered through signing up and in."""

from django.http import HttpRequest
from django.utils import timezone

from apps.tenancy.exceptions import InvitationNotFound
from apps.tenancy.models import Invitation, InvitationState
from apps.tenancy.services.invitations import invitation_of

_KEY = "invitation"


def remember(request: HttpRequest, token: str) -> None:
    request.session[_KEY] = token


def forget(request: HttpRequest) -> None:
    request.session.pop(_KEY, None)


def remembered(request: HttpRequest) -> Invitation | None:
    """The open invitation of this visitor."""
    token = request.session.get(_KEY, "")
    try:
        invitation = invitation_of(token) if token else None
    except InvitationNotFound:
        return None
    return invitation if invitation is not None and is_open(invitation) else None


def is_open(invitation: Invitation) -> bool:
    return invitation.state == InvitationState.PENDING and invitation.expires_at > timezone.now()
