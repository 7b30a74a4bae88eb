"""What others ask webhooks to do: forget an environment, encrypt secrets with a new key."""

from collections.abc import Sequence
from uuid import UUID

from apps.credentials import secrets
from apps.credentials.services.rekeying import Rekeyed
from apps.webhooks.models import Delivery, Webhook


def deliveries_erase(environment_ids: Sequence[UUID]) -> int:
    """What was delivered to the environments: to branches too, whose webhooks are their parent's."""
    return Delivery.objects.filter(environment_id__in=list(environment_ids)).delete()[0]


def secrets_rekey() -> Rekeyed:
    """A secret that is changed meanwhile stays the new one."""
    rows = Webhook.objects.exclude(secret_encrypted="").values_list("key_id", "secret_encrypted")
    outcomes = [_rewrite(key_id, encrypted) for key_id, encrypted in rows]
    return Rekeyed(outcomes.count(True), outcomes.count(False))


def _rewrite(key_id: UUID, encrypted: str) -> bool:
    try:
        secret = secrets.decrypt(encrypted)
    except secrets.SecretUnreadable:
        return False
    row = Webhook.objects.filter(key_id=key_id, secret_encrypted=encrypted)
    row.update(secret_encrypted=secrets.encrypt(secret))
    return True
