"""Event keys as a list beside the one that is open."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.urls import reverse

from apps.credentials.models import EventKey, KeySource
from apps.credentials.selectors import event_keys_qs
from apps.dashboard.gates import Gate, gate_of
from apps.dashboard.moments import in_ms
from apps.dashboard.secrets import Masked
from apps.dashboard.snippets import Snippet, send_snippet
from apps.tenancy.access import Access
from apps.tenancy.exceptions import EnvironmentArchived
from apps.tenancy.models import Environment
from apps.tenancy.permissions import Permission

MAX_KEYS: Final = 500
SHOWN: Final = 7


@dataclass(frozen=True, slots=True)
class KeyLink:
    id: UUID
    name: str
    masked: str
    url: str
    used_at: int | None
    is_default: bool


@dataclass(frozen=True, slots=True)
class KeyDetail:
    """Times in ms. `snippet` sends an event, with the key from the environment."""

    id: UUID
    name: str
    creator: str
    created_at: int
    used_at: int | None
    revoked_at: int | None
    is_default: bool
    is_integration: bool
    secret: Masked
    snippet: Snippet
    mode: str
    events: str
    ips: str
    rename_url: str
    revoke_url: str
    filter_url: str


@dataclass(frozen=True, slots=True)
class EventKeysPage:
    keys: list[KeyLink]
    open: KeyDetail | None
    gate: Gate
    create_gate: Gate
    create_url: str


def event_keys_page(
    access: Access, environment: Environment, chosen: EventKey | None, origin: str
) -> EventKeysPage:
    """Without a chosen key the first is open."""
    rows = list(event_keys_qs(environment)[:MAX_KEYS])
    row = next((key for key in rows if chosen is not None and key.id == chosen.id), rows[0] if rows else None)
    gate = gate_of(access, Permission.KEY_MANAGE)
    return EventKeysPage(
        keys=[_link(key) for key in rows],
        open=_detail(access, row, origin) if row else None,
        gate=gate,
        create_gate=creating(gate, environment),
        create_url=reverse("dashboard:event-key-create"),
    )


def creating(gate: Gate, environment: Environment) -> Gate:
    """Nothing is made in an archived environment, whoever asks."""
    if gate.is_open and environment.is_archived:
        return Gate(reason=str(EnvironmentArchived()))
    return gate


def masked(key: EventKey) -> str:
    return f"{key.prefix[:SHOWN]}{'•' * 12}"


def _link(key: EventKey) -> KeyLink:
    url = reverse("dashboard:event-key", args=[key.id])
    return KeyLink(key.id, key.name, masked(key), url, in_ms(key.last_used_at), key.is_default)


def _detail(access: Access, key: EventKey, origin: str) -> KeyDetail:
    return KeyDetail(
        id=key.id,
        name=key.name,
        creator=key.created_by.display_name if key.created_by else "",
        created_at=in_ms(key.created_at),
        used_at=in_ms(key.last_used_at),
        revoked_at=in_ms(key.revoked_at),
        is_default=key.is_default,
        is_integration=key.source == KeySource.INTEGRATION,
        secret=event_key_secret(access, key),
        snippet=send_snippet(origin),
        mode=key.filter_mode,
        events="\n".join(key.filter_events),
        ips="\n".join(key.filter_ips),
        rename_url=reverse("dashboard:event-key-rename", args=[key.id]),
        revoke_url=reverse("dashboard:event-key-revoke", args=[key.id]),
        filter_url=reverse("dashboard:event-key-filter", args=[key.id]),
    )


def event_key_secret(access: Access, key: EventKey) -> Masked:
    return Masked(
        dom_id=f"secret-{key.id}",
        masked=masked(key),
        url=reverse("dashboard:event-key-reveal", args=[key.id]),
        label="Event key",
        gate=gate_of(access, Permission.EVENT_KEY_REVEAL),
    )
