"""The signing keys of an environment, and whether its apps are ready for the next one."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.urls import reverse
from django.utils import timezone

from apps.credentials.models import SigningKey, SigningKeyState
from apps.credentials.selectors import signing_keys
from apps.dashboard.gates import Gate, gate_of
from apps.dashboard.moments import in_ms
from apps.dashboard.presenters.statuses import Badge
from apps.dashboard.secrets import Masked
from apps.registry.readiness import AppReadiness, rotation_readiness
from apps.tenancy.access import Access
from apps.tenancy.models import Environment, EnvironmentType
from apps.tenancy.permissions import Permission

NEW_FOR: Final = timedelta(hours=24)
_READY: Final = Badge("Ready", "ok", "circle-check")
_CURRENT: Final = Badge("Uses the current key", "wait", "hourglass")
_UNSEEN: Final = Badge("Not seen yet", "quiet", "circle-dashed")


@dataclass(frozen=True, slots=True)
class KeyCard:
    """Times in ms. `is_new`: made within the last day."""

    id: UUID
    secret: Masked
    creator: str
    created_at: int
    seen_at: int | None
    until: int | None
    is_new: bool
    revoke_url: str


@dataclass(frozen=True, slots=True)
class ReadinessRow:
    name: str
    sdk: str
    fallback: str
    badge: Badge
    seen_at: int | None


@dataclass(frozen=True, slots=True)
class SigningKeyPage:
    active: KeyCard | None
    pending: KeyCard | None
    retired: list[KeyCard]
    apps: list[ReadinessRow]
    is_shared: bool
    gate: Gate
    create_url: str
    delete_url: str
    rotate_url: str

    @property
    def is_ready(self) -> bool:
        return all(row.badge == _READY for row in self.apps)


def signing_key_page(access: Access, environment: Environment) -> SigningKeyPage:
    cards: dict[str, list[KeyCard]] = {str(state): [] for state in SigningKeyState}
    for key in signing_keys(environment):
        cards[key.state].append(_card(access, key))
    pending = next(iter(cards[SigningKeyState.PENDING]), None)
    return SigningKeyPage(
        active=next(iter(cards[SigningKeyState.ACTIVE]), None),
        pending=pending,
        retired=cards[SigningKeyState.RETIRED],
        apps=[_readiness(app) for app in rotation_readiness(environment)] if pending else [],
        is_shared=environment.type == EnvironmentType.BRANCH_PARENT,
        gate=gate_of(access, Permission.KEY_MANAGE),
        create_url=reverse("dashboard:signing-key-create"),
        delete_url=reverse("dashboard:signing-key-delete"),
        rotate_url=reverse("dashboard:signing-key-rotate"),
    )


def signing_key_secret(access: Access, key: SigningKey) -> Masked:
    return Masked(
        dom_id=f"secret-{key.id}",
        masked=f"{key.prefix}{'•' * 12}",
        url=reverse("dashboard:signing-key-reveal", args=[key.id]),
        label="Signing key",
        gate=gate_of(access, Permission.SIGNING_KEY_REVEAL),
    )


def _card(access: Access, key: SigningKey) -> KeyCard:
    return KeyCard(
        id=key.id,
        secret=signing_key_secret(access, key),
        creator=key.created_by.display_name if key.created_by else "",
        created_at=in_ms(key.created_at),
        seen_at=in_ms(key.last_seen_at),
        until=in_ms(key.retired_until),
        is_new=key.created_at > timezone.now() - NEW_FOR,
        revoke_url=reverse("dashboard:signing-key-revoke", args=[key.id]),
    )


def _readiness(app: AppReadiness) -> ReadinessRow:
    fallback = {True: "yes", False: "no: rotates with downtime", None: "not known"}[app.supports_fallback]
    badge = _READY if app.is_ready else (_CURRENT if app.key_state else _UNSEEN)
    return ReadinessRow(app.name, app.sdk, fallback, badge, in_ms(app.seen_at))
