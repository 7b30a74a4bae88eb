"""API keys as a list, with what each may do in words."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.utils import timezone

from apps.credentials.models import ApiKey
from apps.credentials.permissions import PRESETS
from apps.credentials.selectors import api_keys_qs
from apps.dashboard.moments import in_ms
from apps.dashboard.places import organisation_url
from apps.tenancy.access import Access

MAX_KEYS: Final = 500


@dataclass(frozen=True, slots=True)
class ApiKeyRow:
    """Times in ms."""

    id: UUID
    name: str
    preview: str
    environment: str
    scope: str
    permissions: str
    creator: str
    created_at: int
    used_at: int | None
    expires_at: int | None
    is_expired: bool
    rename_url: str
    revoke_url: str


def api_key_rows(access: Access) -> list[ApiKeyRow]:
    return [_row(access, key) for key in api_keys_qs(access.account.id)[:MAX_KEYS]]


def _row(access: Access, key: ApiKey) -> ApiKeyRow:
    return ApiKeyRow(
        id=key.id,
        name=key.name,
        preview=key.preview,
        environment=key.environment.name if key.environment else "All environments",
        scope=_scope(key.permissions),
        permissions=", ".join(key.permissions),
        creator=key.created_by.display_name if key.created_by else "",
        created_at=in_ms(key.created_at),
        used_at=in_ms(key.last_used_at),
        expires_at=in_ms(key.expires_at),
        is_expired=key.expires_at is not None and key.expires_at <= timezone.now(),
        rename_url=organisation_url(access.account, "api-key-rename", key.id),
        revoke_url=organisation_url(access.account, "api-key-revoke", key.id),
    )


def _scope(names: list[str]) -> str:
    """The preset that it is, or how many permissions it has."""
    chosen = set(names)
    known = (preset for preset, granted in PRESETS.items() if {str(name) for name in granted} == chosen)
    return next(known, f"{len(names)} permissions")
