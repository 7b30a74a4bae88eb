"""Letters about credentials that someone has to read."""

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction

from apps.audit.services import Actor
from apps.tenancy.models import Account, Environment, Role


def emergency_rotation_notice(account: Account, environment: Environment, reason: str, actor: Actor) -> None:
    """To the security address, or the owners where there is none; sent once the transaction is committed."""
    subject = f"Emergency rotation of the signing key of {environment.name}"
    text = (
        f"{actor.label} has rotated the signing key of the environment {environment.name} of {account.name}"
        f" without a time of grace. The old key is not accepted any more.\n\nReason: {reason}\n"
    )
    receivers = _receivers(account)
    transaction.on_commit(
        lambda: _send(_one_line(subject), text, receivers),
        robust=True,
    )


def _send(subject: str, text: str, receivers: list[str]) -> None:
    send_mail(subject, text, settings.DEFAULT_FROM_EMAIL, receivers)


def _receivers(account: Account) -> list[str]:
    if account.security_email:
        return [account.security_email]
    owners = account.memberships.filter(role=Role.OWNER).order_by("id")
    return list(owners.values_list("user__email", flat=True))


def _one_line(text: str) -> str:
    return " ".join(text.split())
