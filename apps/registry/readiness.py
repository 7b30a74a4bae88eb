"""Whether the apps of an environment are ready for its next signing key (spec 05, 2.2)."""

import re
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from django.db.models import Q

from apps.credentials.models import SigningKeyState
from apps.credentials.selectors import app_key_uses
from apps.registry.models import App
from apps.tenancy.models import Environment
from apps.tenancy.row_security import across_environments

Version = tuple[int, int, int]

# The first versions that take INNGEST_SIGNING_KEY_FALLBACK.
_FALLBACK_SINCE: Final[dict[str, Version]] = {
    "go": (0, 7, 2),
    "js": (3, 18, 0),
    "py": (0, 3, 9),
}
_VERSION = re.compile(r"v?(\d{1,6})\.(\d{1,6})\.(\d{1,6})")


class AppReadiness(NamedTuple):
    """`key_state` is that of the key that the app last authenticated with; empty where none was seen yet.
    `supports_fallback` is None for an SDK of which that is not known."""

    app_id: UUID
    name: str
    environment_id: UUID
    sdk: str
    supports_fallback: bool | None
    key_state: str
    seen_at: datetime | None

    @property
    def is_ready(self) -> bool:
        return self.key_state == SigningKeyState.PENDING


def rotation_readiness(environment: Environment) -> list[AppReadiness]:
    """The live apps that use the environment's keys, those of its branches too, by name."""
    owner = environment.key_owner_id
    covered = Q(environment_id=owner) | Q(environment__parent_id=owner)
    rows = App.objects.filter(covered, archived_at__isnull=True, environment__archived_at__isnull=True)
    with across_environments():
        apps = list(rows.exclude(name="").order_by("name", "id"))
    uses = app_key_uses(app.id for app in apps)
    return [
        AppReadiness(
            app.id,
            app.name,
            app.environment_id,
            f"{app.sdk_language} {app.sdk_version}".strip(),
            supports_fallback(app.sdk_language, app.sdk_version),
            uses[app.id].signing_key.state if app.id in uses else "",
            uses[app.id].seen_at if app.id in uses else None,
        )
        for app in apps
    ]


def supports_fallback(language: str, version: str) -> bool | None:
    found, since = _VERSION.match(version), _FALLBACK_SINCE.get(language)
    if found is None or since is None:
        return None
    return tuple(int(part) for part in found.groups()) >= since
