"""Letters about credentials that someone has to read."""

from django.conf import settings
from django.db import transaction

from apps.audit.services import Actor
from apps.identity.letters import letter
from apps.tenancy.models import Account, Environment, Role


def emergency_rotation_notice(account: Account, environment: Environment, reason: str, actor: Actor) -> None:
    """To the security address, or the owners where there is none; sent once the transaction is committed."""
    subject = f"Stepwell: Emergency rotation of the signing key of {environment.name}"
    text = (
        f"{actor.label} has rotated the signing key of the environment {environment.name} of {account.name}"
        " without a time of grace. The old key is not accepted any more.\n\n"
        f"Reason: {' '.join(reason.split())}\n\n"
        "If none of you meant this, the audit log says who did it, when and from where. Take their role away,"
        f" and rotate the keys again.\n\n{_audit_url(account)}\n"
    )
    receivers = _receivers(account)
    transaction.on_commit(
        lambda: letter(subject, text, receivers, action="See the audit log").send(),
        robust=True,
    )


def _audit_url(account: Account) -> str:
    return f"{settings.STEPWELL_BASE_URL.rstrip('/')}/o/{account.slug}/settings/audit"


def _receivers(account: Account) -> list[str]:
    if account.security_email:
        return [account.security_email]
    owners = account.memberships.filter(role=Role.OWNER).order_by("id")
    return list(owners.values_list("user__email", flat=True))
