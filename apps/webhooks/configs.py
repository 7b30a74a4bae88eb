"""What the event path needs to know of webhooks, kept in memory for some seconds.

Forgotten when a change of the account is announced (apps/credentials/listening.py); else at most
`FRESH_SECONDS` old. While the database is away, what was known stays known.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import InterfaceError, OperationalError, close_old_connections
from django.db.models import Q, QuerySet
from django.utils import timezone

from apps.credentials import secrets
from apps.credentials.filters import KeyFilter
from apps.credentials.models import FilterMode
from apps.webhooks.choices import Scheme
from apps.webhooks.models import Webhook
from apps.webhooks.verification.config import Verification, options_from

FRESH_SECONDS: Final = 5.0
STALE_SECONDS: Final = 3600.0
MAX_ENTRIES: Final = 10_000


@dataclass(frozen=True, slots=True)
class WebhookConfig:
    """A webhook as it is now, secret included: keep it out of logs."""

    id: str
    account_id: UUID
    environment_id: UUID
    transform: str
    respond: str
    verification: Verification
    filter: KeyFilter

    def __repr__(self) -> str:
        return f"WebhookConfig({self.id})"


class ConfigsUnavailable(Exception):
    """The database is away and the webhook not known, or its secret is not readable."""


@dataclass(frozen=True, slots=True)
class _Entry:
    config: WebhookConfig | None
    known_at: float
    fresh_at: float


class WebhookConfigs:
    """Used on one event loop."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self._under_way: dict[str, asyncio.Future[WebhookConfig | None]] = {}
        self._epoch = 0
        self.may_be_stale = False

    async def by_id(self, webhook_id: str) -> WebhookConfig | None:
        """Raises ConfigsUnavailable."""
        return await self._get(f"id:{webhook_id}", lambda: config_by_id(webhook_id))

    async def by_key(self, key: str) -> WebhookConfig | None:
        """By the key itself, where nothing resolves keys: in dev mode. Raises ConfigsUnavailable."""
        return await self._get(f"key:{secrets.keyed_hash(key)}", lambda: config_by_key(key))

    def forget_account(self, account_id: UUID) -> None:
        """And which keys are unknown: one of them may be new."""
        self._epoch += 1
        for name, entry in list(self._entries.items()):
            if entry.config is None or entry.config.account_id == account_id:
                self._entries.pop(name, None)

    def forget_all(self) -> None:
        self._epoch += 1
        self._entries.clear()

    async def _get(self, name: str, load: Callable[[], WebhookConfig | None]) -> WebhookConfig | None:
        entry = self._entries.get(name)
        if entry is not None and time.monotonic() - entry.fresh_at <= FRESH_SECONDS:
            return entry.config
        waiting = self._under_way.get(name)
        if waiting is None:
            waiting = self._under_way[name] = asyncio.ensure_future(self._load(name, load, entry))
            waiting.add_done_callback(lambda _: self._under_way.pop(name, None))
        return await asyncio.shield(waiting)

    async def _load(
        self, name: str, load: Callable[[], WebhookConfig | None], known: _Entry | None
    ) -> WebhookConfig | None:
        epoch, now = self._epoch, time.monotonic()
        try:
            config = await sync_to_async(_asked)(load)
        except (OperationalError, InterfaceError) as problem:
            if known is None or now - known.known_at > STALE_SECONDS:
                raise ConfigsUnavailable(str(problem)) from problem
            self._entries[name] = _Entry(known.config, known.known_at, now)
            return known.config
        except secrets.SecretUnreadable as problem:
            raise ConfigsUnavailable(f"the secret of a webhook is not readable: {problem}") from problem
        if epoch == self._epoch:
            self._make_room()
            self._entries[name] = _Entry(config, now, now)
        return config

    def _make_room(self) -> None:
        if len(self._entries) >= MAX_ENTRIES:
            for name in list(self._entries)[: MAX_ENTRIES // 2]:
                del self._entries[name]


def config_by_id(webhook_id: str) -> WebhookConfig | None:
    return _first(_live().filter(key_id=UUID(webhook_id)))


def config_by_key(key: str) -> WebhookConfig | None:
    return _first(_live().filter(key__value_hash__in=secrets.keyed_hashes(key)))


def config_of(webhook: Webhook) -> WebhookConfig:
    """Raises SecretUnreadable."""
    key = webhook.key
    return WebhookConfig(
        id=str(webhook.key_id),
        account_id=key.account_id,
        environment_id=key.environment_id,
        transform=webhook.transform,
        respond=webhook.respond,
        verification=verification_of(webhook),
        filter=KeyFilter(
            is_allow=key.filter_mode == FilterMode.ALLOW, events=key.filter_events, ips=key.filter_ips
        ),
    )


def verification_of(webhook: Webhook) -> Verification:
    """With the secret. Raises SecretUnreadable."""
    scheme = Scheme(webhook.scheme)
    secret = secrets.decrypt(webhook.secret_encrypted) if webhook.secret_encrypted else ""
    return Verification(scheme, options_from(scheme, webhook.options), secret)


def _live() -> QuerySet[Webhook]:
    is_live = Q(key__revoked_at__isnull=True) | Q(key__revoked_at__gt=timezone.now())
    return Webhook.objects.select_related("key").filter(is_live)


def _first(rows: QuerySet[Webhook]) -> WebhookConfig | None:
    webhook = rows.first()
    return config_of(webhook) if webhook else None


def _asked(load: Callable[[], WebhookConfig | None]) -> WebhookConfig | None:
    close_old_connections()
    return load()


# Of this process: apps/webhooks/door.py reads it, services make it forget.
process_configs = WebhookConfigs()
