"""Bringing an app's stored functions in line with a registration (spec 02 12.6 and 12.7)."""

import hashlib
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from django.utils import timezone

from apps.engine.functions import FunctionSpec, encode_spec
from apps.registry import identities
from apps.registry.models import App, Function, FunctionVersion, Sync
from apps.registry.validation import RegisteredFunction

_BATCH_ROWS = 100


class FunctionChanges(msgspec.Struct):
    """What a sync did. A restored function came back after it had been archived."""

    added: list[Function] = msgspec.field(default_factory=list)
    changed: list[Function] = msgspec.field(default_factory=list)
    restored: list[Function] = msgspec.field(default_factory=list)
    removed: list[Function] = msgspec.field(default_factory=list)

    def to_publish(self) -> list[UUID]:
        rows = {row.id for row in (*self.added, *self.changed, *self.restored, *self.removed)}
        return sorted(rows)


def replace_functions(app: App, registered: Sequence[RegisteredFunction], sync: Sync) -> FunctionChanges:
    """Make the app's live functions exactly `registered`; runs inside the caller's transaction."""
    now = timezone.now()
    stored = {row.slug: row for row in Function.objects.filter(app=app).defer("config")}
    changes = FunctionChanges()
    taken = _taken_ids(app, registered)
    for function in registered:
        _place(app, function, stored.pop(function.slug, None), taken, changes)
    changes.removed = [row for row in stored.values() if row.archived_at is None]
    _store(changes, now)
    _store_versions([*changes.added, *changes.changed], sync)
    return changes


def archive_functions(app: App) -> list[UUID]:
    """Archive all live functions of the app; the ids of those that were live."""
    rows = Function.objects.filter(app=app, archived_at__isnull=True)
    function_ids = list(rows.values_list("id", flat=True))
    now = timezone.now()
    rows.update(archived_at=now, updated_at=now)
    return function_ids


def _place(
    app: App, function: RegisteredFunction, row: Function | None, taken: set[UUID], changes: FunctionChanges
) -> None:
    if row is None:
        changes.added.append(_new_row(app, function, taken))
        return
    if row.archived_at is not None:
        row.archived_at = None
        changes.restored.append(row)
    if _is_changed(row, function):
        row.version += 1
        _fill(row, function)
        changes.changed.append(row)


def _is_changed(row: Function, function: RegisteredFunction) -> bool:
    """A new configuration, or an old one that this version of the server reads differently."""
    is_same_config = row.config_hash == _config_hash(function)
    return not is_same_config or row.spec != _spec_text(row, function)


def _new_row(app: App, function: RegisteredFunction, taken: set[UUID]) -> Function:
    derived = _derived_id(app, function.spec)
    row = Function(
        id=uuid.uuid4() if derived in taken else derived,
        account_id=app.account_id,
        environment_id=app.environment_id,
        app=app,
        slug=function.slug,
        version=1,
    )
    taken.add(row.id)
    _fill(row, function)
    return row


def _fill(row: Function, function: RegisteredFunction) -> None:
    row.name = function.spec.name
    row.url = function.spec.url
    row.config = function.config.decode()
    row.config_hash = _config_hash(function)
    row.spec = _spec_text(row, function)


def _spec_text(row: Function, function: RegisteredFunction) -> str:
    spec = msgspec.structs.replace(
        function.spec,
        id=str(row.id),
        app_id=str(row.app_id),
        env_id=str(row.environment_id),
        account_id=str(row.account_id),
        version=row.version,
    )
    return encode_spec(spec).decode()


def _config_hash(function: RegisteredFunction) -> str:
    return hashlib.sha256(function.config).hexdigest()


def _derived_id(app: App, spec: FunctionSpec) -> UUID:
    return identities.function_id(app.environment_id, spec.name, spec.url)


def _taken_ids(app: App, registered: Iterable[RegisteredFunction]) -> set[UUID]:
    """Derived ids that belong to a function already, perhaps under an older slug."""
    derived = [_derived_id(app, function.spec) for function in registered]
    return set(Function.objects.filter(id__in=derived).values_list("id", flat=True))


def _store(changes: FunctionChanges, now: datetime) -> None:
    Function.objects.bulk_create(changes.added, batch_size=_BATCH_ROWS)
    for row in (*changes.changed, *changes.restored):
        row.updated_at = now
    changed_columns = ["name", "url", "version", "config", "config_hash", "spec", "updated_at"]
    Function.objects.bulk_update(changes.changed, changed_columns, batch_size=_BATCH_ROWS)
    restored_ids = [row.id for row in changes.restored]
    Function.objects.filter(id__in=restored_ids).update(archived_at=None, updated_at=now)
    removed_ids = [row.id for row in changes.removed]
    Function.objects.filter(id__in=removed_ids).update(archived_at=now, updated_at=now)


def _store_versions(rows: Iterable[Function], sync: Sync) -> None:
    versions = [
        FunctionVersion(
            account_id=row.account_id,
            environment_id=row.environment_id,
            function=row,
            version=row.version,
            config=row.config,
            config_hash=row.config_hash,
            sync=sync,
        )
        for row in rows
    ]
    FunctionVersion.objects.bulk_create(versions, batch_size=_BATCH_ROWS)
