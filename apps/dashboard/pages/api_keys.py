"""API keys as a list, with what each may do in words."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.utils import timezone

from apps.credentials.models import ApiKey
from apps.credentials.permissions import GRANTABLE, PRESETS
from apps.credentials.selectors import api_keys_qs
from apps.dashboard.moments import in_ms
from apps.dashboard.places import organisation_url
from apps.tenancy.access import Access
from apps.tenancy.permissions import Permission

MAX_KEYS: Final = 500
_WORDS: Final = {
    Permission.VIEW: "See apps, functions and settings",
    Permission.DATA_READ: "Read events and runs, with what they hold",
    Permission.EVENT_SEND: "Send events and signals",
    Permission.RUN_CANCEL: "Cancel a run",
    Permission.RUN_RERUN: "Rerun a run",
    Permission.FUNCTION_INVOKE: "Invoke functions",
    Permission.FUNCTION_PAUSE: "Pause and resume functions",
    Permission.RUN_CANCEL_BULK: "Cancel many runs at once",
    Permission.REPLAY: "Replay runs",
    Permission.APP_SYNC: "Sync apps",
    Permission.APP_ARCHIVE: "Remove apps",
    Permission.ENVIRONMENT_MANAGE: "Manage environments",
    Permission.EVENT_KEY_REVEAL: "Read event keys",
    Permission.SIGNING_KEY_REVEAL: "Read signing keys",
    Permission.KEY_MANAGE: "Manage event and signing keys",
    Permission.WEBHOOK_MANAGE: "Manage webhooks",
    Permission.INSIGHTS_QUERY: "Query insights",
    Permission.ALERT_MANAGE: "Manage alerts",
    Permission.USAGE_VIEW: "Read usage",
    Permission.AUDIT_READ: "Read the audit log",
}


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
    return [(permission.value, f"{_WORDS[permission]} ({permission.value})") for permission in own]


def _row(access: Access, key: ApiKey) -> ApiKeyRow:
    scope = _preset(key.permissions)
    return ApiKeyRow(
        id=key.id,
        name=key.name,
        preview=key.preview,
        environment=key.environment.name if key.environment else "All environments",
        scope=scope or _counted(len(key.permissions)),
        permissions=() if scope else tuple(key.permissions),
        creator=key.created_by.display_name if key.created_by else "",
        created_at=in_ms(key.created_at),
        used_at=in_ms(key.last_used_at),
        expires_at=in_ms(key.expires_at),
        is_expired=key.expires_at is not None and key.expires_at <= timezone.now(),
        rename_url=organisation_url(access.account, "api-key-rename", key.id),
        revoke_url=organisation_url(access.account, "api-key-revoke", key.id),
    )


def _preset(names: list[str]) -> str:
    """The name of the preset that these permissions are, empty for none."""
    chosen = set(names)
    known = (preset for preset, granted in PRESETS.items() if {str(name) for name in granted} == chosen)
    return next(known, "")


def _counted(count: int) -> str:
    return "1 permission" if count == 1 else f"{count} permissions"
