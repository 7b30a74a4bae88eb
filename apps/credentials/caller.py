"""Who calls, or why nobody gets through: what the pipeline of spec 05, 1.14 comes to."""

import sys
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from apps.credentials.filters import KeyFilter
from apps.engine.event_stream import Sender
from apps.tenancy.entitlements import DEFAULTS, Entitlements
from apps.tenancy.models import AccountStatus, EnvironmentType
from apps.tenancy.permissions import Permission


class CredentialKind(StrEnum):
    EVENT_KEY = "event_key"
    WEBHOOK = "webhook"
    SIGNING_KEY = "signing_key"
    API_KEY = "api_key"
    TOKEN = "token"  # noqa: S105 a kind of credential
    SESSION = "session"
    NONE = "none"  # dev mode asks for nothing


_SENDERS: Final = {
    CredentialKind.EVENT_KEY: Sender.KEY,
    CredentialKind.WEBHOOK: Sender.WEBHOOK,
    CredentialKind.SIGNING_KEY: Sender.API,
    CredentialKind.API_KEY: Sender.API,
    CredentialKind.TOKEN: Sender.API,
    CredentialKind.SESSION: Sender.DASHBOARD,
}


class Code(StrEnum):
    """Stable names of the refusals; a branch that cannot be made has those of tenancy."""

    MISSING = "auth_missing"
    INVALID = "auth_invalid"
    REVOKED = "auth_revoked"
    UNAVAILABLE = "auth_unavailable"
    SUSPENDED = "account_suspended"
    DELETING = "account_deleting"
    ENV_UNSPECIFIED = "env_unspecified"
    ENV_NOT_FOUND = "env_not_found"
    ENV_ARCHIVED = "env_archived"
    ENV_AMBIGUOUS = "env_name_ambiguous"
    FORBIDDEN = "forbidden"
    IP_DENIED = "ip_denied"
    RATE_LIMITED = "rate_limited"


@dataclass(frozen=True, slots=True)
class Refused:
    """`environment_id` is that of a caller who is known; `retry_after` is in seconds, 0 for none."""

    status: int
    code: str
    message: str
    environment_id: UUID | None = None
    retry_after: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """An environment, with what its account says about it. `key_owner_id` is that of a branch's parent."""

    account_id: UUID
    environment_id: UUID
    key_owner_id: UUID
    type: EnvironmentType
    slug: str
    name: str
    is_archived: bool = False
    account_status: AccountStatus = AccountStatus.ACTIVE
    entitlements: Entitlements = DEFAULTS


@dataclass(frozen=True, slots=True)
class Credential:
    """What is known of a presented secret. `place` is None for an API key of all environments.

    Without `ends_at` (Unix seconds) it is good until someone revokes it. A personal token names its
    person, whose role bounds what it may do.
    """

    kind: CredentialKind
    id: str
    label: str
    account_id: UUID
    place: Place | None
    permissions: frozenset[Permission]
    account_status: AccountStatus = AccountStatus.ACTIVE
    ends_at: float | None = None
    filter: KeyFilter | None = None
    user_id: UUID | None = None


class Tenant(NamedTuple):
    env_id: str
    account_id: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a request is from, and for which environment.

    The last fields follow from the others, for paths on which each microsecond counts: the ids as text, the
    bound of an event, whether the rate of events is limited, and what its events say of where they came from.
    """

    account_id: UUID
    environment_id: UUID
    environment_type: EnvironmentType
    environment_archived: bool
    kind: CredentialKind
    credential_id: str
    label: str
    permissions: frozenset[Permission]
    key_owner_id: UUID
    account_status: AccountStatus = AccountStatus.ACTIVE
    entitlements: Entitlements = DEFAULTS
    filter: KeyFilter | None = None
    tenant: Tenant = field(init=False, compare=False)
    env_id: str = field(init=False, compare=False)
    max_event_bytes: int = field(init=False, compare=False)
    is_rated: bool = field(init=False, compare=False)
    sender: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        limits, env_id = self.entitlements, str(self.environment_id)
        bound = sys.maxsize if limits.event_bytes is None else limits.event_bytes
        for name, value in (
            ("tenant", Tenant(env_id, str(self.account_id))),
            ("env_id", env_id),
            ("max_event_bytes", bound),
            ("is_rated", limits.ingest_per_second is not None),
            ("sender", _sender(self.kind, self.credential_id)),
        ):
            object.__setattr__(self, name, value)

    @property
    def is_branch_parent(self) -> bool:
        return self.environment_type == EnvironmentType.BRANCH_PARENT


def _sender(kind: CredentialKind, credential_id: str) -> str:
    """The field k of an event (apps/engine/event_stream.py). Keys of the configuration have no id."""
    sender = _SENDERS.get(kind, "")
    has_id = sender in (Sender.KEY, Sender.WEBHOOK) and credential_id
    return f"{sender}:{credential_id}" if has_id else str(sender)


def caller_at(credential: Credential, place: Place) -> Caller:
    return Caller(
        account_id=place.account_id,
        environment_id=place.environment_id,
        environment_type=place.type,
        environment_archived=place.is_archived,
        kind=credential.kind,
        credential_id=credential.id,
        label=credential.label,
        permissions=credential.permissions,
        key_owner_id=place.key_owner_id,
        account_status=place.account_status,
        entitlements=place.entitlements,
        filter=credential.filter,
    )
