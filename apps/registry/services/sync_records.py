"""Recording attempts to register; equal attempts in a row share one record (spec 05 1.8)."""

import uuid
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from apps.registry import app_urls, selectors
from apps.registry.choices import SyncStatus
from apps.registry.models import App, Sync
from apps.registry.validation import Registration, RegistrationError, RegistrationHead


def success_record(app: App, registration: Registration) -> Sync:
    """The unsaved record of a sync that changes something."""
    sync = _new(app.account_id, app.environment_id, registration.head, SyncStatus.SUCCESS)
    sync.app = app
    sync.modified = True
    sync.function_count = len(registration.functions)
    sync.warnings = registration.warnings
    return sync


def record_duplicate(app: App, head: RegistrationHead) -> UUID:
    """Record a sync of the current configuration; an id that no other sync has."""
    latest = selectors.syncs_qs(app.environment_id, app.id).first()
    if latest and latest.status == SyncStatus.DUPLICATE and latest.checksum == head.checksum:
        _repeat(latest)
        return uuid.uuid4()
    sync = _new(app.account_id, app.environment_id, head, SyncStatus.DUPLICATE)
    sync.app = app
    sync.function_count = selectors.function_counts(app.environment_id, [app.id]).get(app.id, 0)
    sync.save()
    return sync.id


def record_failure(account_id: UUID, environment_id: UUID, app: App | None, error: RegistrationError) -> None:
    head = error.head or RegistrationHead(app_name="")
    latest = _latest(environment_id, app, head)
    text = printable(error.message)
    if latest and latest.status == SyncStatus.ERROR and latest.error == text:
        _repeat(latest)
        return
    sync = _new(account_id, environment_id, head, SyncStatus.ERROR)
    sync.app = app
    sync.error_code = error.code
    sync.error = text
    sync.save()


def printable(text: str) -> str:
    """The text without NUL, which PostgreSQL does not store."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _latest(environment_id: UUID, app: App | None, head: RegistrationHead) -> Sync | None:
    if app is not None:
        return selectors.syncs_qs(environment_id, app.id).first()
    url = app_urls.normalise_or_keep(head.url)
    return selectors.unattached_syncs_qs(environment_id).filter(normalised_url=url).first()


def _repeat(sync: Sync) -> None:
    Sync.objects.filter(id=sync.id).update(repeats=F("repeats") + 1, last_synced_at=timezone.now())


def _new(account_id: UUID, environment_id: UUID, head: RegistrationHead, status: SyncStatus) -> Sync:
    return Sync(
        account_id=account_id,
        environment_id=environment_id,
        status=status,
        url=head.url,
        normalised_url=app_urls.normalise_or_keep(head.url),
        sdk_language=head.sdk_language,
        sdk_version=head.sdk_version,
        framework=head.framework,
        platform=head.platform,
        app_version=head.app_version,
        checksum=head.checksum,
        last_synced_at=timezone.now(),
    )
