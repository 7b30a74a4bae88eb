"""One delivery on its way through, and what the log will say of it."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from apps.engine.protocol.events import AcceptedEvent
from apps.engine.protocol.ids import new_ulid
from apps.webhooks import log
from apps.webhooks.choices import Outcome, Scheme, Verified
from apps.webhooks.configs import WebhookConfig
from apps.webhooks.incoming import Incoming
from apps.webhooks.models import Delivery
from apps.webhooks.redaction import redacted_headers, redacted_query

_MAX_NAMES = 50


class Rejected(Exception):
    """The delivery goes no further; the message is for the producer and the log. `retry_after` in seconds."""

    def __init__(self, status: int, outcome: Outcome, error: str, retry_after: int = 0) -> None:
        super().__init__(error)
        self.status = status
        self.outcome = outcome
        self.retry_after = retry_after


@dataclass(slots=True)
class Attempt:
    """`environment_id` and `account_id` are where its events go."""

    config: WebhookConfig
    account_id: UUID
    environment_id: UUID
    incoming: Incoming
    redelivery_of: str = ""
    verified: Verified = Verified.NOT_CHECKED
    duration_ms: int = 0
    events: Sequence[AcceptedEvent] = field(default_factory=tuple)
    id: str = ""

    def __post_init__(self) -> None:
        self.id = new_ulid(self.incoming.received_ms)

    @property
    def meta(self) -> Mapping[str, object]:
        """The member `meta` of each of its events: no script has a say in that."""
        webhook: dict[str, object] = {
            "id": self.config.id,
            "delivery": self.id,
            "verified": self.verified == Verified.YES,
        }
        if self.config.verification.scheme != Scheme.NONE:
            webhook["scheme"] = self.config.verification.scheme.value
        return {"webhook": webhook}

    def logged(self, status: int, outcome: Outcome, error: str = "") -> Delivery:
        incoming = self.incoming
        secret_names = self.config.verification.secret_headers
        events = self.events[:_MAX_NAMES] if outcome == Outcome.ACCEPTED else ()
        query = redacted_query(incoming.query)
        return Delivery(
            id=self.id,
            webhook_id=UUID(self.config.id),
            environment_id=self.environment_id,
            received_at=datetime.fromtimestamp(incoming.received_ms / 1000, UTC),
            method=incoming.method[:8],
            ip=_address(incoming.ip),
            status=status,
            outcome=outcome,
            verified=self.verified,
            duration_ms=self.duration_ms,
            event_names=[event.name for event in events],
            event_ids=[event.internal_id for event in events],
            error=log.cut(error, 1000),
            headers=log.plain(redacted_headers(incoming.canonical_headers, secret_names).items()),
            query={
                log.cut(name, 256): [log.cut(one, 2048) for one in found] for name, found in query.items()
            },
            body=log.capped(incoming.body),
            body_bytes=len(incoming.body),
            redelivery_of=self.redelivery_of,
        )


def _address(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return None
