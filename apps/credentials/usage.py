"""When credentials were last used: noted in memory, written in batches (spec 05, 2.1 to 2.3).

A credential is noted when it is looked up, which a busy one is every 10 s: a use costs a hit nothing.
"""

import asyncio
import logging
import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from asgiref.sync import sync_to_async
from django.db import DatabaseError, close_old_connections
from django.db.models import Model, Q
from django.utils import timezone

from apps.credentials.models import ApiKey, EventKey, PersonalToken, SigningKey
from apps.engine.services import wait_for

EVERY_SECONDS: Final = 5.0
MAX_PENDING: Final = 10_000

logger = logging.getLogger(__name__)


class Use(NamedTuple):
    at: datetime
    ip: str


class _Column(NamedTuple):
    model: type[Model]
    name: str
    ip: str = ""


_COLUMNS: Final[Mapping[str, _Column]] = {
    "event_key": _Column(EventKey, "last_used_at"),
    "webhook": _Column(EventKey, "last_used_at"),
    "signing_key": _Column(SigningKey, "last_seen_at"),
    "api_key": _Column(ApiKey, "last_used_at", "last_used_ip"),
    "token": _Column(PersonalToken, "last_used_at"),
}


class UsageBuffer:
    """Safe to use from any thread. What does not fit is dropped: it comes again within seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._uses: dict[tuple[str, str], Use] = {}

    def note(self, kind: str, credential_id: str, ip: str = "") -> None:
        """Nothing to note for keys that are not stored, which have no id."""
        if not credential_id or kind not in _COLUMNS:
            return
        with self._lock:
            if len(self._uses) < MAX_PENDING:
                self._uses[(str(kind), credential_id)] = Use(timezone.now(), ip)

    def take(self) -> dict[tuple[str, str], Use]:
        with self._lock:
            taken, self._uses = self._uses, {}
        return taken


process_usage = UsageBuffer()


def usage_write(uses: Mapping[tuple[str, str], Use]) -> None:
    """One statement for each kind, second and address; an earlier time never replaces a later one."""
    groups: dict[tuple[_Column, Use], list[str]] = {}
    for (kind, credential_id), use in uses.items():
        column = _COLUMNS[kind]
        group = Use(use.at.replace(microsecond=0), use.ip if column.ip else "")
        groups.setdefault((column, group), []).append(credential_id)
    for (column, use), ids in groups.items():
        is_older = Q(**{f"{column.name}__isnull": True}) | Q(**{f"{column.name}__lt": use.at})
        values: dict[str, object] = {column.name: use.at, **({column.ip: use.ip} if use.ip else {})}
        column.model._default_manager.filter(is_older, pk__in=ids).update(**values)


class UsageWriter:
    """A service of the web process (apps/engine/services.py)."""

    name = "credential usage"

    def __init__(self, buffer: UsageBuffer = process_usage) -> None:
        self._buffer = buffer

    async def run(self, stop: asyncio.Event) -> None:
        while not await wait_for(stop, EVERY_SECONDS):
            await self.flush()
        await self.flush()

    async def flush(self) -> None:
        """What cannot be written is dropped: the next use of the credential tells again."""
        uses = self._buffer.take()
        if not uses:
            return
        try:
            await sync_to_async(_write)(uses)
        except DatabaseError as problem:
            logger.warning("the last use of %d credentials was not written: %s", len(uses), problem)


def _write(uses: Mapping[tuple[str, str], Use]) -> None:
    close_old_connections()
    usage_write(uses)
