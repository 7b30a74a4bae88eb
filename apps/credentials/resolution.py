"""The pipeline of spec 05, 1.14, steps 2 to 9, for all faces: who calls, and may they?

Hits cost no I/O. `CredentialResolver` answers on an event loop (`event_key`, `bearer`) and in threads
(`event_key_sync`, `bearer_sync`) from one cache; apps/credentials/listening.py empties it on changes.
"""

import asyncio
from collections.abc import Callable
from hashlib import blake2b
from time import time
from typing import Final, TypeVar
from uuid import UUID

from asgiref.sync import sync_to_async

from apps.credentials import pipeline
from apps.credentials.cache import MAX_ENTRIES, CredentialCache, Entry, Key, digest, hasher
from apps.credentials.caller import Caller, Code, CredentialKind, Refused
from apps.credentials.directory import Directory, DirectoryUnavailable
from apps.credentials.pipeline import BUSY, INVALID, MISSING, UNAVAILABLE, ip_refusal, permission_refusal
from apps.credentials.usage import UsageBuffer, process_usage
from apps.credentials.uses import EVENTS, Use
from apps.tenancy.models import DEV_ACCOUNT_ID, DEV_ENVIRONMENT_ID, EnvironmentType
from apps.tenancy.permissions import Permission

__all__ = [
    "DEV_CALLER",
    "INVALID",
    "MISSING",
    "UNAVAILABLE",
    "Caller",
    "Code",
    "CredentialKind",
    "CredentialResolver",
    "Refused",
    "ip_refusal",
    "permission_refusal",
]

T = TypeVar("T")

# Look-ups wait for one another, so a flood of secrets that nobody knows is cut here: whoever was known before
# comes first, and waits for no more than these.
MAX_UNDER_WAY: Final = 64
# A longer name is refused for its length, whatever follows.
_MAX_NAME: Final = 300

# Where a secret is presented.
_EVENT_KEY: Final = hasher(b"event key")
_BEARER: Final = hasher(b"bearer")

DEV_CALLER: Final = Caller(
    account_id=DEV_ACCOUNT_ID,
    environment_id=DEV_ENVIRONMENT_ID,
    environment_type=EnvironmentType.TEST,
    environment_archived=False,
    kind=CredentialKind.NONE,
    credential_id="",
    label="dev mode",
    permissions=frozenset(Permission),
    key_owner_id=DEV_ENVIRONMENT_ID,
)


class CredentialResolver:
    """`is_open`: dev mode, where everything is the development environment's. `prepare` is called before a
    look-up in a thread of asgiref's, which no request cleans up after."""

    def __init__(
        self,
        directory: Directory,
        *,
        is_open: bool = False,
        usage: UsageBuffer = process_usage,
        prepare: Callable[[], None] = lambda: None,
    ) -> None:
        self._directory = directory
        self._prepare = prepare
        self._usage = usage
        self.is_open = is_open
        self.cache = CredentialCache()
        self._under_way: dict[Key, asyncio.Future[Caller | Refused]] = {}
        self._key_owners: dict[UUID, UUID] = {}

    async def event_key(
        self,
        presented: str,
        *,
        use: Use = EVENTS,
        permission: Permission = Permission.EVENT_SEND,
        env_name: str = "",
        ip: str = "",
    ) -> Caller | Refused:
        """Steps 2 to 9 for an event key or the key of a webhook."""
        if not presented:
            return MISSING
        if self.is_open:
            return DEV_CALLER
        key: Key = (digest(presented, _EVENT_KEY), use.name, env_name[:_MAX_NAME])
        entry = self.cache.fresh(key)
        if entry is not None:
            found = _at_this_time(entry)
        else:
            found = await self._miss(key, presented, _EVENT_KEY, use, env_name, ip)
        if isinstance(found, Refused):
            return found
        return permission_refusal(found, permission) or ip_refusal(found, ip) or found

    async def bearer(
        self, token: str, *, use: Use, permission: Permission, env_name: str = "", ip: str = ""
    ) -> Caller | Refused:
        """Steps 2 to 8 for a bearer token."""
        if self.is_open:
            return DEV_CALLER
        if not token:
            return MISSING
        key: Key = (digest(token, _BEARER), use.name, env_name[:_MAX_NAME])
        entry = self.cache.fresh(key)
        if entry is not None:
            found = _at_this_time(entry)
        else:
            found = await self._miss(key, token, _BEARER, use, env_name, ip)
        return found if isinstance(found, Refused) else permission_refusal(found, permission) or found

    def event_key_sync(
        self,
        presented: str,
        *,
        use: Use = EVENTS,
        permission: Permission = Permission.EVENT_SEND,
        env_name: str = "",
        ip: str = "",
    ) -> Caller | Refused:
        """`event_key` for code in a thread."""
        if not presented:
            return MISSING
        if self.is_open:
            return DEV_CALLER
        found = self._resolve_sync(presented, _EVENT_KEY, use, env_name, ip)
        if isinstance(found, Refused):
            return found
        return permission_refusal(found, permission) or ip_refusal(found, ip) or found

    def bearer_sync(
        self, token: str, *, use: Use, permission: Permission, env_name: str = "", ip: str = ""
    ) -> Caller | Refused:
        """`bearer` for code in a thread."""
        if self.is_open:
            return DEV_CALLER
        if not token:
            return MISSING
        found = self._resolve_sync(token, _BEARER, use, env_name, ip)
        return found if isinstance(found, Refused) else permission_refusal(found, permission) or found

    async def covers(self, caller: Caller, environment_id: UUID) -> bool:
        """Whether the credential is good for another environment: a branch of the caller's parent.

        Raises DirectoryUnavailable.
        """
        if environment_id == caller.environment_id:
            return True
        return caller.is_branch_parent and await self._key_owner(environment_id) == caller.environment_id

    async def _key_owner(self, environment_id: UUID) -> UUID | None:
        """None where there is no such environment. It never changes, so it may be remembered."""
        owner = self._key_owners.get(environment_id)
        if owner is not None:
            return owner
        place = await self._in_thread(lambda: self._directory.place(environment_id))
        if place is None:
            return None
        if len(self._key_owners) >= MAX_ENTRIES:
            self._key_owners.clear()
        self._key_owners[environment_id] = place.key_owner_id
        return place.key_owner_id

    async def _miss(
        self, key: Key, presented: str, face: blake2b, use: Use, env_name: str, ip: str
    ) -> Caller | Refused:
        if self.cache.is_unknown(key[0]):
            return INVALID
        waiting = self._under_way.get(key)
        if waiting is None:
            if len(self._under_way) >= MAX_UNDER_WAY and not self.cache.has_known(key):
                return BUSY
            look = self._in_thread(lambda: self._look_up(key, presented, face, use, env_name, ip))
            waiting = self._under_way[key] = asyncio.ensure_future(look)
            waiting.add_done_callback(lambda _: self._under_way.pop(key, None))
        # Whoever gives up must not take the others' answer away.
        return await asyncio.shield(waiting)

    def _resolve_sync(
        self, presented: str, face: blake2b, use: Use, env_name: str, ip: str
    ) -> Caller | Refused:
        secret = digest(presented, face)
        key: Key = (secret, use.name, env_name[:_MAX_NAME])
        # A sync changes its environment, so each of them is looked up.
        entry = None if use.unarchives else self.cache.fresh(key)
        if entry is not None:
            return _at_this_time(entry)
        if self.cache.is_unknown(secret):
            return INVALID
        return self._look_up(key, presented, face, use, env_name, ip)

    def _look_up(
        self, key: Key, presented: str, face: blake2b, use: Use, env_name: str, ip: str
    ) -> Caller | Refused:
        epoch = self.cache.epoch
        try:
            directory = self._directory
            credential = (directory.event_key if face is _EVENT_KEY else directory.bearer)(presented)
            if credential is None:
                self.cache.put_unknown(key[0], epoch)
                return INVALID
            ends_at = float("inf") if credential.ends_at is None else credential.ends_at
            if ends_at <= time():
                result: Caller | Refused = pipeline.revoked(credential)
            else:
                result = pipeline.settle(self._directory, credential, use, key[2])
        except DirectoryUnavailable:
            stale = self.cache.stale(key)
            return UNAVAILABLE if stale is None else _at_this_time(stale)
        self.cache.put(key, result, credential, ends_at, epoch)
        if isinstance(result, Caller):
            self._usage.note(result.kind, result.credential_id, ip)
        return result

    async def _in_thread(self, work: Callable[[], T]) -> T:
        def prepared() -> T:
            self._prepare()
            return work()

        return await sync_to_async(prepared)()


def _at_this_time(entry: Entry) -> Caller | Refused:
    if entry.ends_at <= time():
        return pipeline.revoked(entry.credential)
    return entry.result
