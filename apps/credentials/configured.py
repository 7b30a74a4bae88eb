"""Keys that `manage.py start` is given: they belong to the environment of the server's own account."""

from collections.abc import Collection, Sequence
from hmac import compare_digest
from typing import Final
from uuid import UUID

from apps.credentials import formats
from apps.credentials.caller import Credential, CredentialKind, Place, Refused
from apps.credentials.directory import Directory
from apps.credentials.permissions import EVENT_KEY_PERMISSIONS, SIGNING_KEY_PERMISSIONS
from apps.credentials.uses import Use
from apps.tenancy.models import DEV_ACCOUNT_ID, DEV_ENVIRONMENT_ID, EnvironmentType
from apps.tenancy.permissions import Permission

DEV_PLACE: Final = Place(
    DEV_ACCOUNT_ID,
    DEV_ENVIRONMENT_ID,
    DEV_ENVIRONMENT_ID,
    EnvironmentType.PRODUCTION,
    "production",
    "Default",
)


class ConfiguredDirectory:
    """Beside `stored`, which may be absent: then there are no other keys, and the environment is as it was at
    the start. A signing key that is stored too is what is stored of it, which may be that it has ended."""

    def __init__(
        self, event_keys: Sequence[str], signing_keys: Sequence[str], stored: Directory | None = None
    ) -> None:
        self._event_keys = tuple(key.encode() for key in event_keys)
        self._bearer_hashes = tuple(formats.bearer_hash(key).encode() for key in signing_keys)
        self._stored = stored

    def event_key(self, presented: str) -> Credential | None:
        if self._is_event_key(presented):
            return self._credential(CredentialKind.EVENT_KEY, "configured event key", EVENT_KEY_PERMISSIONS)
        return self._stored.event_key(presented) if self._stored else None

    def bearer(self, presented: str) -> Credential | None:
        forms = [form.encode() for form in formats.bearer_hashes(presented)]
        stored = self._stored.bearer(presented) if self._stored else None
        if stored is None and any(
            compare_digest(form, known) for form in forms for known in self._bearer_hashes
        ):
            return self._credential(
                CredentialKind.SIGNING_KEY, "configured signing key", SIGNING_KEY_PERMISSIONS
            )
        return stored

    def place(self, environment_id: UUID) -> Place | None:
        if self._stored:
            return self._stored.place(environment_id)
        return DEV_PLACE if environment_id == DEV_ENVIRONMENT_ID else None

    def named_places(self, account_id: UUID, name: str) -> Collection[Place]:
        return self._stored.named_places(account_id, name) if self._stored else ()

    def branch(self, parent: Place, name: str, use: Use) -> Place | Refused:
        if self._stored is None:
            raise LookupError("keys that are configured belong to no parent of branches")
        return self._stored.branch(parent, name, use)

    def permissions_of_member(self, user_id: UUID, place: Place) -> frozenset[Permission]:
        return self._stored.permissions_of_member(user_id, place) if self._stored else frozenset()

    def _is_event_key(self, presented: str) -> bool:
        encoded = presented.encode(errors="replace")
        return any(compare_digest(encoded, key) for key in self._event_keys)

    def _credential(self, kind: CredentialKind, label: str, permissions: frozenset[Permission]) -> Credential:
        place = self.place(DEV_ENVIRONMENT_ID) or DEV_PLACE
        return Credential(kind, "", label, place.account_id, place, permissions, place.account_status)
