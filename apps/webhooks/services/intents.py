"""A webhook that another service has asked for, and a person has approved."""

from django.db import transaction

from apps.audit.services import Actor
from apps.tenancy.models import Environment
from apps.webhooks.intents import Intent
from apps.webhooks.models import Webhook
from apps.webhooks.presets import intent_transform
from apps.webhooks.services.webhooks import webhook_create, webhook_reveal


@transaction.atomic
def webhook_connect(
    *, environment: Environment, intent: Intent, prefix: str, actor: Actor
) -> tuple[Webhook, str]:
    """The webhook and its key, which the service gets to know; both are on record.

    Raises what `webhook_create` and `webhook_reveal` raise, and has made nothing then.
    """
    webhook = webhook_create(
        environment=environment, name=intent.name, actor=actor, transform=intent_transform(prefix)
    )
    return webhook, webhook_reveal(webhook=webhook, actor=actor)
