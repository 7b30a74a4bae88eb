"""Delivering again what is in the log, with the webhook as it is now (spec 05, 2.5)."""

from dataclasses import replace

from django.conf import settings
from django.db import transaction

from apps.audit.services import Actor
from apps.credentials.services import changes
from apps.engine import bridge, clock
from apps.engine.store.client import RedisError, RedisUnavailable
from apps.tenancy.models import Environment
from apps.tenancy.services.guards import require_writable
from apps.webhooks import running
from apps.webhooks.attempt import Attempt, Rejected
from apps.webhooks.choices import Outcome, Verified
from apps.webhooks.configs import config_of
from apps.webhooks.exceptions import NotRedeliverable
from apps.webhooks.log import process_deliveries
from apps.webhooks.models import Delivery, Webhook
from apps.webhooks.runtime.messages import Function
from apps.webhooks.services.scripts import pool
from apps.webhooks.services.testing import incoming_of

_STORE_FAILURES = (RedisUnavailable, RedisError, TimeoutError)


def delivery_redeliver(*, webhook: Webhook, delivery: Delivery, actor: Actor) -> Delivery:
    """What came of it, as a delivery of its own, which the log will have within seconds.

    Its headers come without secrets, and are not verified again. Raises NotRedeliverable, AccountSuspended,
    AccountDeleting, SecretUnreadable.
    """
    _check(webhook, delivery)
    attempt = Attempt(
        config_of(webhook),
        webhook.key.account_id,
        delivery.environment_id,
        replace(incoming_of(delivery), received_ms=clock.now_ms()),
        redelivery_of=delivery.redelivery_of or delivery.id,
        verified=Verified(delivery.verified),
    )
    try:
        outcome, error, status = _delivered(attempt), "", 200
    except Rejected as rejected:
        outcome, error, status = rejected.outcome, str(rejected), rejected.status
    logged = attempt.logged(status, outcome, error)
    process_deliveries.note(logged)
    with transaction.atomic():
        after = {"delivery": delivery.id, "outcome": str(outcome), "events": len(attempt.events)}
        changes.record(webhook.key, actor, "webhook.redeliver", webhook.key.name, after=after)
    return logged


def _check(webhook: Webhook, delivery: Delivery) -> None:
    if delivery.webhook_id != webhook.key_id or delivery.method != "POST":
        raise NotRedeliverable
    if delivery.outcome == Outcome.UNVERIFIED:
        raise NotRedeliverable("Nobody knows who sent this delivery, so it is not delivered")
    if delivery.is_truncated:
        raise NotRedeliverable("The log has kept the beginning of this delivery only")
    environment = Environment.objects.select_related("account").filter(id=delivery.environment_id).first()
    if environment is None or environment.account_id != webhook.key.account_id:
        raise NotRedeliverable("The environment that it was for is gone")
    require_writable(environment.account)


def _delivered(attempt: Attempt) -> Outcome:
    """Raises Rejected."""
    parsed = running.read_body(attempt)
    call = running.call_of(attempt, parsed, Function.TRANSFORM)
    try:
        result = pool().run_sync(str(attempt.account_id), call)
    except running.POOL_FAILURES as problem:
        raise running.pool_rejection(problem) from None
    events = running.events_of(attempt, result, settings.STEPWELL_EVENT_MAX_BYTES)
    attempt.events, _ = running.let_through(attempt, events)
    entries = running.stream_entries(attempt, attempt.events)
    if not entries:
        return Outcome.DROPPED
    try:
        bridge.engine_call(lambda engine: engine.append_events(entries))
    except _STORE_FAILURES:
        raise Rejected(503, Outcome.UNSTORED, "Events cannot be stored at the moment") from None
    return Outcome.ACCEPTED
