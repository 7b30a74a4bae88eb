"""Reading apps, syncs and functions. Lists leave the payload columns (`config`, `spec`) out."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from django.db.models import Count, Q, QuerySet

from apps.engine.functions import FunctionSpec, decode_spec
from apps.registry.choices import AppMethod
from apps.registry.models import App, Function, Sync

_PAYLOAD_COLUMNS = ("config", "spec")


class SyncMark(NamedTuple):
    """Tells whether another attempt was recorded since."""

    sync_id: UUID | None
    repeats: int


class PollTarget(NamedTuple):
    environment_id: UUID
    url: str
    error: str


def apps_qs(environment_id: UUID, *, archived: bool = False) -> QuerySet[App]:
    """The environment's apps and placeholders, oldest first."""
    rows = App.objects.filter(environment_id=environment_id, archived_at__isnull=not archived)
    return rows.order_by("created_at", "id")


def app_by_id(environment_id: UUID, app_id: UUID) -> App | None:
    return App.objects.filter(environment_id=environment_id, id=app_id).first()


def app_by_name(environment_id: UUID, name: str) -> App | None:
    """The app with this SDK id, archived or not."""
    return App.objects.filter(environment_id=environment_id, name=name).exclude(name="").first()


def apps_by_url(environment_id: UUID, normalised_url: str) -> list[App]:
    """The live apps at a normalised URL; real ones before a placeholder."""
    rows = App.objects.filter(
        environment_id=environment_id, normalised_url=normalised_url, archived_at__isnull=True
    )
    return list(rows.order_by("-name", "id"))


def app_by_url(environment_id: UUID, normalised_url: str) -> App | None:
    """The first of `apps_by_url`."""
    return next(iter(apps_by_url(environment_id, normalised_url)), None)


def placeholder_by_url(environment_id: UUID, normalised_url: str) -> App | None:
    rows = App.objects.filter(environment_id=environment_id, name="", normalised_url=normalised_url)
    return rows.first() if normalised_url else None


def is_any_app_synced(environment_id: UUID) -> bool:
    return apps_qs(environment_id).exclude(name="").exists()


def poll_targets(*, failing_only: bool) -> list[PollTarget]:
    """The apps of all environments that the server pings; not those that hold connections."""
    rows = App.objects.filter(method=AppMethod.SERVE, archived_at__isnull=True).exclude(url="")
    if failing_only:
        rows = rows.exclude(error="")
    values = rows.order_by("id").values_list("environment_id", "url", "error")
    return [PollTarget(*value) for value in values]


def functions_qs(environment_id: UUID, *, archived: bool = False) -> QuerySet[Function]:
    """The environment's functions without their payload columns, in order of their slugs."""
    rows = Function.objects.filter(environment_id=environment_id, archived_at__isnull=not archived)
    return rows.defer(*_PAYLOAD_COLUMNS).order_by("slug", "id")


def function_by_id(environment_id: UUID, function_id: UUID) -> Function | None:
    """The function with its configuration, archived or not."""
    return Function.objects.filter(environment_id=environment_id, id=function_id).first()


def function_by_slug(environment_id: UUID, slug: str) -> Function | None:
    """The live function of this slug with its configuration."""
    rows = Function.objects.filter(environment_id=environment_id, slug=slug, archived_at__isnull=True)
    return rows.order_by("id").first()


def function_by_app(environment_id: UUID, app_name: str, function_id: str) -> Function | None:
    """The function by the ids chosen in the SDK, archived or not, without its payload columns.

    `function_id` may also be the whole slug; a function whose own id reads so comes first.
    """
    own, whole = f"{app_name}-{function_id}", function_id
    rows = Function.objects.filter(environment_id=environment_id, app__name=app_name, slug__in=(own, whole))
    found = {row.slug: row for row in rows.defer(*_PAYLOAD_COLUMNS).select_related("app")}
    return found.get(own) or found.get(whole)


def functions_by_id(environment_id: UUID, function_ids: Collection[UUID]) -> dict[UUID, Function]:
    """Functions by id, archived ones too, without their payload columns."""
    rows = Function.objects.filter(environment_id=environment_id, id__in=function_ids)
    return {row.id: row for row in rows.defer(*_PAYLOAD_COLUMNS)}


def configured_functions(environment_id: UUID, app_id: UUID | None = None) -> list[Function]:
    """The live functions of an app or of the whole environment, with their configurations."""
    rows = Function.objects.filter(environment_id=environment_id, archived_at__isnull=True)
    if app_id is not None:
        rows = rows.filter(app_id=app_id)
    return list(rows.order_by("slug", "id"))


def function_counts(environment_id: UUID, app_ids: Collection[UUID]) -> dict[UUID, int]:
    """How many live functions each app has; apps without any are left out."""
    rows = Function.objects.filter(
        environment_id=environment_id, app_id__in=app_ids, archived_at__isnull=True
    )
    return dict(rows.values_list("app_id").annotate(count=Count("id")).order_by("app_id"))


def syncs_qs(environment_id: UUID, app_id: UUID) -> QuerySet[Sync]:
    """An app's syncs, newest first."""
    return Sync.objects.filter(environment_id=environment_id, app_id=app_id).order_by("-last_synced_at", "id")


def unattached_syncs_qs(environment_id: UUID) -> QuerySet[Sync]:
    """Failed syncs that belong to no app, newest first."""
    rows = Sync.objects.filter(environment_id=environment_id, app_id__isnull=True)
    return rows.order_by("-last_synced_at", "id")


def latest_sync_of_url(environment_id: UUID, normalised_url: str) -> Sync | None:
    rows = Sync.objects.filter(environment_id=environment_id, normalised_url=normalised_url)
    return rows.order_by("-last_synced_at", "id").first()


def sync_mark(sync: Sync | None) -> SyncMark:
    return SyncMark(sync.id, sync.repeats) if sync else SyncMark(None, 0)


def live_specs() -> list[FunctionSpec]:
    """The specs of all functions of all environments that may start runs."""
    return _specs(Q(archived_at__isnull=True))


def archived_specs() -> list[FunctionSpec]:
    """The specs of archived functions, marked so: runs of theirs may still go on."""
    return _specs(Q(archived_at__isnull=False))


def specs_by_id(function_ids: Iterable[UUID]) -> list[FunctionSpec]:
    """The specs of those functions; archived ones are marked so."""
    return _specs(Q(id__in=list(function_ids)))


def long_paused_functions(since: datetime) -> list[Function]:
    """The functions of all environments that have been paused since then, without their payload columns."""
    rows = Function.objects.filter(paused_at__lte=since).select_related("environment")
    return list(rows.defer(*_PAYLOAD_COLUMNS).order_by("id"))


def _specs(condition: Q) -> list[FunctionSpec]:
    columns = ("spec", "archived_at", "paused_at", "drained_at")
    rows = Function.objects.filter(condition).order_by("id").values_list(*columns)
    return [_spec(*row) for row in rows.iterator(chunk_size=500)]


def _spec(
    text: str, archived_at: datetime | None, paused_at: datetime | None, drained_at: datetime | None
) -> FunctionSpec:
    """What the SDK registered, with what was switched here since."""
    switches = {"archived": archived_at, "paused": paused_at, "drained": drained_at}
    return msgspec.structs.replace(
        decode_spec(text.encode()), **{name: moment is not None for name, moment in switches.items()}
    )
