"""Syncs: from a register body, or an in-band answer, to stored and published functions (spec 01 4.4)."""

from collections.abc import Iterable
from uuid import UUID

import msgspec
from django.db import transaction

from apps.registry import app_urls, identities, locks, selectors
from apps.registry.choices import AppMethod
from apps.registry.models import App, Function, Sync
from apps.registry.services import publication, reconcile, sync_records
from apps.registry.validation import (
    DecodedBody,
    Limits,
    Registration,
    RegistrationError,
    RegistrationHead,
    decode_body,
    validate_functions,
)
from apps.registry.validation.sdk_versions import SdkRule, is_denied
from apps.tenancy.models import Environment
from apps.tenancy.services.environments import environment_mark_synced

_ARCHIVED = "the environment is archived; owners and admins can unarchive it"


class SyncResult(msgspec.Struct, frozen=True):
    """`sync_id` is new for every sync, also where equal ones share a record."""

    app_id: UUID
    sync_id: UUID
    is_modified: bool
    warnings: list[str]


class SyncPolicy(msgspec.Struct, frozen=True):
    """What the operator allows."""

    limits: Limits
    denied_sdks: tuple[SdkRule, ...] = ()


def registration_receive(
    environment_id: UUID, body: bytes, policy: SyncPolicy
) -> SyncResult | RegistrationError:
    """Register from the JSON that an SDK sent. A refused one changes nothing but records and errors.

    An archived environment refuses all; a branch has been unarchived when its name was resolved.
    """
    result = _receive(environment_id, body, policy)
    if isinstance(result, SyncResult):
        environment_mark_synced(environment_id=environment_id)
    return result


def _receive(environment_id: UUID, body: bytes, policy: SyncPolicy) -> SyncResult | RegistrationError:
    decoded = decode_body(body, policy.limits)
    if isinstance(decoded, RegistrationError):
        return _refuse(environment_id, decoded)
    if Environment.objects.filter(id=environment_id, archived_at__isnull=False).exists():
        return _refuse(environment_id, RegistrationError(_ARCHIVED, "env_archived", decoded.head))
    if is_denied(decoded.head.sdk_language, decoded.head.sdk_version, policy.denied_sdks):
        return _refuse(environment_id, _denied(decoded.head))
    repeated = _repeat_sync(environment_id, decoded)
    if repeated is not None:
        return repeated
    registration = validate_functions(decoded, policy.limits)
    if isinstance(registration, RegistrationError):
        return _refuse(environment_id, registration)
    return app_sync(environment_id, registration)


@transaction.atomic
def app_sync(
    environment_id: UUID, registration: Registration, *, method: AppMethod = AppMethod.SERVE
) -> SyncResult:
    """Replace the app's functions in one transaction, then publish what changed to the engine.

    Idempotent. If publishing fails the error is raised after the commit, and the next sync of the
    same configuration publishes again.
    """
    app = _app_for_sync(environment_id, registration.head)
    if _is_current(app, registration.head) and app.method == method:
        return _record_duplicate(app, registration.head)
    sync = sync_records.success_record(app, registration)
    sync.save()
    changes = reconcile.replace_functions(app, registration.functions, sync)
    _store_differences(sync, changes)
    must_publish_all = app.publish_pending
    _update_app(app, registration.head, method)
    transaction.on_commit(lambda: _publish(app.id, must_publish_all, changes.to_publish()))
    return SyncResult(app.id, sync.id, True, registration.warnings)


def _publish(app_id: UUID, must_publish_all: bool, function_ids: Iterable[UUID]) -> None:
    if must_publish_all:
        publication.publish_all_of(app_id)
    else:
        publication.publish(app_id, function_ids)


def _repeat_sync(environment_id: UUID, decoded: DecodedBody) -> SyncResult | None:
    """The result for a body that is the app's current configuration: nothing is validated again."""
    app = selectors.app_by_name(environment_id, decoded.head.app_name)
    if app is None or not _is_current(app, decoded.head):
        return None
    return _record_duplicate(app, decoded.head)


def _is_current(app: App, head: RegistrationHead) -> bool:
    is_settled = app.archived_at is None and not app.publish_pending
    return is_settled and app.checksum == head.checksum


def _record_duplicate(app: App, head: RegistrationHead) -> SyncResult:
    sync_id = sync_records.record_duplicate(app, head)
    if app.error:
        App.objects.filter(id=app.id).update(error="", error_detail="")
    return SyncResult(app.id, sync_id, False, [])


def _app_for_sync(environment_id: UUID, head: RegistrationHead) -> App:
    """The locked app of that name, new where there is none; it takes the place of a placeholder."""
    app = locks.lock_app_by_name(environment_id, head.app_name)
    placeholder = selectors.placeholder_by_url(environment_id, app_urls.normalise_or_keep(head.url))
    if app is None:
        app = _create_app(
            environment_id, head, autodiscovered=bool(placeholder and placeholder.autodiscovered)
        )
    if placeholder is not None:
        absorb_placeholder(app, placeholder)
    return app


@transaction.atomic
def absorb_placeholder(app: App, placeholder: App) -> None:
    """Replace a placeholder by the app that turned out to be at its URL."""
    Sync.objects.filter(app=placeholder).update(app=app)
    placeholder.delete()


def _create_app(environment_id: UUID, head: RegistrationHead, *, autodiscovered: bool) -> App:
    environment = Environment.objects.get(id=environment_id)
    values = {
        "id": identities.app_id(environment_id, head.app_name),
        "account_id": environment.account_id,
        "autodiscovered": autodiscovered,
    }
    app, _ = App.objects.get_or_create(environment_id=environment_id, name=head.app_name, defaults=values)
    return app


def _update_app(app: App, head: RegistrationHead, method: AppMethod) -> None:
    app.method = method
    app.url = head.url
    app.normalised_url = app_urls.normalise_or_keep(head.url)
    app.sdk_language = head.sdk_language
    app.sdk_version = head.sdk_version
    app.framework = head.framework
    app.platform = head.platform
    app.app_version = head.app_version
    app.checksum = head.checksum
    app.error = app.error_detail = ""
    app.archived_at = None
    app.publish_pending = True
    app.save()


def _store_differences(sync: Sync, changes: reconcile.FunctionChanges) -> None:
    sync.added = _slugs([*changes.added, *changes.restored])
    sync.changed = _slugs([row for row in changes.changed if row not in changes.restored])
    sync.removed = _slugs(changes.removed)
    sync.save(update_fields=["added", "changed", "removed"])


def _slugs(rows: Iterable[Function]) -> list[str]:
    return sorted(row.slug for row in rows)


def _denied(head: RegistrationHead) -> RegistrationError:
    text = f"SDK version {head.sdk_language}:{head.sdk_version} is not allowed by this server"
    return RegistrationError(text, "sdk_version_denied", head, is_code_public=True)


@transaction.atomic
def _refuse(environment_id: UUID, error: RegistrationError) -> RegistrationError:
    """Record the failed attempt and show it on the app or placeholder that it belongs to."""
    environment = Environment.objects.get(id=environment_id)
    app = _app_of(environment_id, error.head)
    sync_records.record_failure(environment.account_id, environment_id, app, error)
    if app is not None and app.error_detail != (detail := sync_records.printable(error.message)):
        App.objects.filter(id=app.id).update(error=error.code, error_detail=detail)
    return error


def _app_of(environment_id: UUID, head: RegistrationHead | None) -> App | None:
    if head is None:
        return None
    app = selectors.app_by_name(environment_id, head.app_name)
    return app or selectors.placeholder_by_url(environment_id, app_urls.normalise_or_keep(head.url))
