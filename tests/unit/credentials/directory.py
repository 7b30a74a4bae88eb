"""A directory in memory that counts what it is asked."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from uuid import UUID

from apps.credentials.caller import Credential, CredentialKind, Place, Refused
from apps.credentials.directory import DirectoryUnavailable
from apps.credentials.permissions import EVENT_KEY_PERMISSIONS, SIGNING_KEY_PERMISSIONS
from apps.credentials.uses import Use
from apps.tenancy.models import EnvironmentType
from apps.tenancy.permissions import Permission

ACCOUNT = UUID(int=1)
PRODUCTION = Place(ACCOUNT, UUID(int=2), UUID(int=2), EnvironmentType.PRODUCTION, "production", "Production")
PARENT = Place(ACCOUNT, UUID(int=3), UUID(int=3), EnvironmentType.BRANCH_PARENT, "branch", "Branches")
CHILD = Place(ACCOUNT, UUID(int=4), UUID(int=3), EnvironmentType.BRANCH_CHILD, "feature", "feature")

EVENT_KEY = Credential(CredentialKind.EVENT_KEY, "ek", "Default", ACCOUNT, PRODUCTION, EVENT_KEY_PERMISSIONS)
SIGNING_KEY = Credential(
    CredentialKind.SIGNING_KEY, "sk", "signkey-prod-…", ACCOUNT, PRODUCTION, SIGNING_KEY_PERMISSIONS
)
BRANCH_KEY = replace(EVENT_KEY, id="bk", place=PARENT)
BRANCH_SIGNING_KEY = replace(SIGNING_KEY, id="bsk", place=PARENT)
ACCOUNT_KEY = replace(SIGNING_KEY, kind=CredentialKind.API_KEY, id="ak", place=None)


@dataclass
class MemoryDirectory:
    event_keys: dict[str, Credential] = field(default_factory=dict)
    bearers: dict[str, Credential] = field(default_factory=dict)
    places: list[Place] = field(default_factory=lambda: [PRODUCTION, PARENT, CHILD])
    members: dict[UUID, frozenset[Permission]] = field(default_factory=dict)
    branch_uses: list[Use] = field(default_factory=list)
    is_away: bool = False
    asked: int = 0
    asked_places: int = 0

    def _ask(self) -> None:
        self.asked += 1
        if self.is_away:
            raise DirectoryUnavailable

    def event_key(self, presented: str) -> Credential | None:
        self._ask()
        return self.event_keys.get(presented)

    def bearer(self, presented: str) -> Credential | None:
        self._ask()
        return self.bearers.get(presented)

    def place(self, environment_id: UUID) -> Place | None:
        self.asked_places += 1
        if self.is_away:
            raise DirectoryUnavailable
        return next((place for place in self.places if place.environment_id == environment_id), None)

    def named_places(self, account_id: UUID, name: str) -> Collection[Place]:
        return [place for place in self.places if place.account_id == account_id and place.name == name]

    def branch(self, parent: Place, name: str, use: Use) -> Place | Refused:
        self.branch_uses.append(use)
        found = [
            place for place in self.places if place.name == name and place.key_owner_id == PARENT.key_owner_id
        ]
        if found:
            return replace(found[0], is_archived=False) if use.unarchives else found[0]
        if not use.creates:
            return Refused(404, "env_not_found", "no such branch", parent.environment_id)
        made = replace(CHILD, environment_id=UUID(int=10 + len(self.places)), name=name, slug=name)
        self.places.append(made)
        return made

    def permissions_of_member(self, user_id: UUID, place: Place) -> frozenset[Permission]:
        return self.members.get(user_id, frozenset())
