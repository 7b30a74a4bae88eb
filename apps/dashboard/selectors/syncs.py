"""Syncs in pages, and the configurations that they brought."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.http import QueryDict

from apps.dashboard.selectors.keyset import Page, Position, position, read_page
from apps.registry.models import Function, FunctionVersion, Sync

SYNCS_EACH: Final = 20
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

Cursor = tuple[datetime, UUID]


def sync_position(query: QueryDict) -> Position[Cursor]:
    return position(query, _parsed)


def syncs_page(rows: QuerySet[Sync], at: Position[Cursor]) -> Page[Sync]:
    """Of one app, or of none; the latest first."""
    return read_page(at, lambda where, limit: _read(rows, where, limit), _cursor, SYNCS_EACH)


def brought_versions(sync: Sync, slugs: Sequence[str]) -> list[FunctionVersion]:
    """What the sync made of those functions, each with `before`: its configuration until then."""
    last = FunctionVersion.objects.filter(function=OuterRef("function"), version=OuterRef("version") - 1)
    rows = FunctionVersion.objects.filter(
        environment_id=sync.environment_id, sync=sync, function__slug__in=slugs
    )
    return list(
        rows.annotate(before=Subquery(last.values("config")[:1]), slug=F("function__slug")).order_by("slug")
    )


def names_of_functions(sync: Sync, slugs: Sequence[str]) -> dict[str, str]:
    """Of functions of the sync's app, archived ones too, by slug."""
    if sync.app_id is None:
        return {}
    rows = Function.objects.filter(environment_id=sync.environment_id, app_id=sync.app_id, slug__in=slugs)
    return dict(rows.values_list("slug", "name"))


def _read(rows: QuerySet[Sync], at: Position[Cursor], limit: int) -> list[Sync]:
    if at.after is not None:
        moment, sync_id = at.after
        newer = rows.filter(Q(last_synced_at__gt=moment) | Q(last_synced_at=moment, id__lt=sync_id))
        return list(newer.order_by("last_synced_at", "-id")[:limit])[::-1]
    if at.before is not None:
        moment, sync_id = at.before
        rows = rows.filter(Q(last_synced_at__lt=moment) | Q(last_synced_at=moment, id__gt=sync_id))
    return list(rows.order_by("-last_synced_at", "id")[:limit])


def _cursor(sync: Sync) -> str:
    return f"{(sync.last_synced_at - _EPOCH) // _MICROSECOND}_{sync.id.hex}"


def _parsed(cursor: str) -> Cursor | None:
    moment, _, sync_id = cursor.partition("_")
    try:
        return _EPOCH + int(moment) * _MICROSECOND, UUID(sync_id)
    except (ValueError, OverflowError):
        return None
