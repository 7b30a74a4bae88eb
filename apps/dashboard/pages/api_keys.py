"""API keys as a list, with what each may do in words."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.utils import timezone

from apps.credentials.models import ApiKey
from apps.credentials.permissions import GRANTABLE
from apps.credentials.selectors import api_keys_qs
from apps.credentials.wording import PERMISSION_WORDS, counted, preset_of
from apps.dashboard.moments import in_ms
from apps.dashboard.places import organisation_url
from apps.tenancy.access import Access
from apps.tenancy.permissions import Permission

MAX_KEYS: Final = 500


@dataclass(frozen=True, slots=True)
class ApiKeyRow:
    """Times in ms. `permissions` are named one by one where they are no preset."""

    id: UUID
    name: str
    preview: str
    environment: str
    scope: str
    permissions: tuple[str, ...]
    creator: str
    created_at: int
    used_at: int | None
    expires_at: int | None
    is_expired: bool
    rename_url: str
    revoke_url: str


def api_key_rows(access: Access) -> list[ApiKeyRow]:
    return [_row(access, key) for key in api_keys_qs(access.account.id)[:MAX_KEYS]]


def permission_choices() -> list[tuple[str, str]]:
    """What a key may be given, with the name that a refusal uses."""
    own = (permission for permission in Permission if permission in GRANTABLE)
    return [(permission.value, f"{PERMISSION_WORDS[permission]} ({permission.value})") for permission in own]


def _row(access: Access, key: ApiKey) -> ApiKeyRow:
    scope = preset_of(key.permissions)
    return ApiKeyRow(
        id=key.id,
        name=key.name,
        preview=key.preview,
        environment=key.environment.name if key.environment else "All environments",
        scope=scope or counted(len(key.permissions)),
        permissions=() if scope else tuple(key.permissions),
        creator=key.created_by.display_name if key.created_by else "",
        created_at=in_ms(key.created_at),
        used_at=in_ms(key.last_used_at),
        expires_at=in_ms(key.expires_at),
        is_expired=key.expires_at is not None and key.expires_at <= timezone.now(),
        rename_url=organisation_url(access.account, "api-key-rename", key.id),
        revoke_url=organisation_url(access.account, "api-key-revoke", key.id),
    )
