"""Making webhooks, and looking at what they did."""

import json
from dataclasses import dataclass
from typing import Any

import redis
from asgiref.sync import sync_to_async

from apps.audit.services import SYSTEM
from apps.credentials import secrets
from apps.tenancy.models import Environment
from apps.webhooks.choices import Scheme
from apps.webhooks.log import deliveries_write, process_deliveries
from apps.webhooks.models import Delivery, Webhook
from apps.webhooks.services.webhooks import webhook_create, webhook_set_verification
from tests.integration.webhooks.streams import stored

ECHO = """
function transform(evt, headers, queryParams, raw) {
  return {name: "in/echo", data: {evt, headers, queryParams, raw}};
}
"""
NAMED = "function transform(evt) { return {name: evt.type, data: evt, id: evt.id}; }"


@dataclass(frozen=True)
class Hook:
    webhook: Webhook
    key: str

    @property
    def url(self) -> str:
        return f"/e/{self.key}"


def make_hook(environment: Environment, transform: str = ECHO, **options: str) -> Hook:
    made = webhook_create(environment=environment, name="Hook", actor=SYSTEM, transform=transform, **options)
    return Hook(made, secrets.decrypt(made.key.value_encrypted))


hook = sync_to_async(make_hook)


@sync_to_async
def verified_hook(
    environment: Environment, scheme: Scheme, secret: str, transform: str = ECHO, **options: object
) -> Hook:
    found = make_hook(environment, transform)
    webhook_set_verification(
        webhook=found.webhook, scheme=scheme, secret=secret, options=options, actor=SYSTEM
    )
    return found


def bodies(client: redis.Redis) -> list[dict[str, Any]]:
    """The events in the stream, as functions see them."""
    return [json.loads(entry.body) for entry in stored(client)]


def write_log() -> None:
    deliveries_write(process_deliveries.take())


@sync_to_async
def logged(found: Hook) -> list[Delivery]:
    """The deliveries of the webhook, the oldest first."""
    write_log()
    return list(Delivery.objects.filter(webhook_id=found.webhook.key_id).order_by("id"))


@sync_to_async
def last_delivery(found: Hook) -> Delivery:
    write_log()
    return Delivery.objects.filter(webhook_id=found.webhook.key_id).order_by("-id")[0]


@sync_to_async
def counts(found: Hook) -> dict[str, int]:
    write_log()
    row = Webhook.objects.get(key_id=found.webhook.key_id)
    names = ("accepted", "dropped", "failed", "unverified", "refused")
    return {name: getattr(row, f"{name}_count") for name in names if getattr(row, f"{name}_count")}
