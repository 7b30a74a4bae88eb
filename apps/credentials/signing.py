"""The signing keys of environments: which one signs, and which are accepted (spec 01, 3.3; spec 05, 2.2).

`KeyRing` is the executor's: it answers from memory for at most 10 s, and forgets on announcements.
"""

import asyncio
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple
from uuid import UUID

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections
from django.db.models import Q
from django.utils import timezone

from apps.credentials import formats, secrets
from apps.credentials.cache import FRESH_SECONDS, STALE_SECONDS
from apps.credentials.models import SigningKey, SigningKeyState
from apps.tenancy.models import DEV_ENVIRONMENT_ID, Environment

_ORDER: Final = {SigningKeyState.ACTIVE: 0, SigningKeyState.PENDING: 1, SigningKeyState.RETIRED: 2}


class Key(NamedTuple):
    """`id` is empty for a key that the server was started with."""

    value: str
    id: str = ""
    is_pending: bool = False

    def __repr__(self) -> str:
        return f"Key(id={self.id!r})"


class KeySet(NamedTuple):
    """What is accepted, in the order of preference; the first that is not pending signs. `account_id` is None
    where there are no keys but those that the server was started with."""

    accepted: tuple[Key, ...] = ()
    account_id: UUID | None = None

    @property
    def signs(self) -> str:
        """Empty where requests are not signed."""
        return next((key.value for key in self.accepted if not key.is_pending), "")

    @property
    def probes(self) -> tuple[str, ...]:
        """What a ping is signed with, in turn: an app that takes the pending key is ready for it."""
        pending = [key.value for key in self.accepted if key.is_pending]
        return tuple(key for key in (*pending, self.signs) if key)

    @property
    def values(self) -> list[str]:
        return [key.value for key in self.accepted]


def key_set(environment_id: UUID) -> KeySet:
    """The keys of an environment, those of a branch being its parent's. Raises SecretUnreadable.

    Keys that the server is started with are those of its own environment, and come first there, but for one
    that is stored too: that is rotated and retired like any other.
    """
    configured = _configured() if environment_id == DEV_ENVIRONMENT_ID else ()
    if settings.STEPWELL_MODE == "dev":
        return KeySet(configured)
    configured = tuple(key for key in configured if not _is_stored(key, environment_id))
    environment = Environment.objects.only("account_id", "parent_id").filter(id=environment_id).first()
    if environment is None:
        return KeySet()
    return KeySet((*configured, *_stored(environment.key_owner_id)), environment.account_id)


def _configured() -> tuple[Key, ...]:
    keys = (settings.STEPWELL_SIGNING_KEY, settings.STEPWELL_SIGNING_KEY_FALLBACK)
    return tuple(Key(key) for key in keys if key)


def _is_stored(key: Key, environment_id: UUID) -> bool:
    """Whether the environment has had it as a key of its own (apps/signin/services/first_account.py)."""
    hashes = secrets.keyed_hashes(formats.bearer_hash(key.value))
    return SigningKey.objects.filter(environment_id=environment_id, bearer_hash__in=hashes).exists()


def _stored(environment_id: UUID) -> list[Key]:
    """The active key, the pending one, and those in their time of grace, the latest first."""
    is_live = ~Q(state=SigningKeyState.RETIRED) | Q(retired_until__gt=timezone.now())
    rows = SigningKey.objects.filter(is_live, environment_id=environment_id).order_by("-created_at")
    in_order = sorted(rows, key=lambda row: _ORDER[SigningKeyState(row.state)])
    return [
        Key(_readable(row.value_encrypted), str(row.id), row.state == SigningKeyState.PENDING)
        for row in in_order
    ]


@lru_cache(maxsize=4096)
def _readable(ciphertext: str) -> str:
    return secrets.decrypt(ciphertext)


class _Known(NamedTuple):
    keys: KeySet
    known_at: float
    fresh_at: float


class KeyRing:
    """Forgetful (listening.py). `look_up` is asked in a thread."""

    def __init__(self, look_up: Callable[[UUID], KeySet] = key_set) -> None:
        self._look_up = look_up
        self._known: dict[str, _Known] = {}
        self._under_way: dict[str, asyncio.Future[_Known]] = {}
        self._epoch = 0
        self.may_be_stale = False

    async def signing_key(self, env_id: str) -> str:
        """What requests to the environment's apps are signed with; empty where they are not.

        Raises the database's errors where it is away and the key is not known.
        """
        known = self._known.get(env_id)
        if known is None or time.monotonic() - known.fresh_at > FRESH_SECONDS:
            known = await self._asked_once(env_id, known)
        return known.keys.signs

    def forget_account(self, account_id: UUID) -> None:
        self._epoch += 1
        for env_id, known in list(self._known.items()):
            if known.keys.account_id == account_id:
                self._known.pop(env_id, None)

    def forget_all(self) -> None:
        self._epoch += 1
        self._known.clear()

    async def _asked_once(self, env_id: str, last: _Known | None) -> _Known:
        """Requests of an environment that need its key at the same moment share one look-up."""
        waiting = self._under_way.get(env_id)
        if waiting is None:
            waiting = self._under_way[env_id] = asyncio.ensure_future(self._refreshed(env_id, last))
            waiting.add_done_callback(lambda _: self._under_way.pop(env_id, None))
        return await asyncio.shield(waiting)

    async def _refreshed(self, env_id: str, last: _Known | None) -> _Known:
        epoch, now = self._epoch, time.monotonic()
        try:
            keys = await sync_to_async(self._ask)(UUID(env_id))
        except (OperationalError, InterfaceError):
            if last is None or not self.may_be_stale or now - last.known_at > STALE_SECONDS:
                raise
            found = last._replace(fresh_at=now)
        else:
            found = _Known(keys, now, now)
        if epoch == self._epoch:
            self._known[env_id] = found
        return found

    def _ask(self, environment_id: UUID) -> KeySet:
        close_old_connections()
        return self._look_up(environment_id)


async def configured_signing_key(env_id: str) -> str:
    """Dev mode's ring: what the server was started with."""
    return str(settings.STEPWELL_SIGNING_KEY)
