"""Where the pipeline looks things up. All of it is synchronous: the resolver calls it from a thread."""

from collections.abc import Collection
from typing import Protocol
from uuid import UUID

from apps.credentials.caller import Credential, Place, Refused
from apps.credentials.uses import Use
from apps.tenancy.permissions import Permission


class DirectoryUnavailable(Exception):
    """Nothing can be looked up at the moment."""


class Directory(Protocol):
    """Each method may raise DirectoryUnavailable."""

    def event_key(self, presented: str) -> Credential | None: ...

    def bearer(self, presented: str) -> Credential | None:
        """A signing key or its hash, an API key, or a personal token."""

    def place(self, environment_id: UUID) -> Place | None: ...

    def named_places(self, account_id: UUID, name: str) -> Collection[Place]:
        """Those environments of the account that a name, slug or id may mean."""

    def branch(self, parent: Place, name: str, use: Use) -> Place | Refused: ...

    def permissions_of_member(self, user_id: UUID, place: Place) -> frozenset[Permission]:
        """Empty for who is no member, or may not see the environment."""
