"""The syncs of an app, or those that belong to none, as a list beside the one that is open."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, QueryDict
from django.urls import reverse
from django.utils.http import urlencode

from apps.dashboard.moments import in_ms
from apps.dashboard.presenters.apps import error_texts
from apps.dashboard.presenters.config_changes import Change, config_changes
from apps.dashboard.presenters.statuses import Badge
from apps.dashboard.selectors.keyset import NEWER, OLDER, page_url
from apps.dashboard.selectors.syncs import brought_versions, names_of_functions, sync_position, syncs_page
from apps.registry.choices import SyncStatus
from apps.registry.models import Sync

CHOSEN: Final = "sync-id"
MAX_FUNCTIONS: Final = 50
MAX_WARNINGS: Final = 20
_BADGES: Final = {
    SyncStatus.SUCCESS: Badge("Changed", "ok", "circle-check"),
    SyncStatus.DUPLICATE: Badge("Unchanged", "quiet", "circle-dashed"),
    SyncStatus.ERROR: Badge("Failed", "bad", "circle-x"),
}


@dataclass(frozen=True, slots=True)
class SyncLink:
    id: UUID
    badge: Badge
    title: str
    url: str
    synced_at: int
    repeats: int


@dataclass(frozen=True, slots=True)
class FunctionChange:
    """`settings` are those that differ from the configuration before; `url` is empty where there is none."""

    slug: str
    name: str
    url: str
    settings: Sequence[Change] = ()


@dataclass(frozen=True, slots=True)
class ChangeGroup:
    """`more` is how many functions are not listed."""

    title: str
    tone: str
    count: int
    functions: Sequence[FunctionChange]
    more: int


@dataclass(frozen=True, slots=True)
class SyncDetail:
    row: Sync
    badge: Badge
    title: str
    created_at: int
    synced_at: int
    sdk: str
    error_hint: str
    groups: Sequence[ChangeGroup]
    warnings: Sequence[str]
    more_warnings: int

    @property
    def retry_url(self) -> str:
        """The form that adds the app at this address; empty for a sync that needs none."""
        is_lost = self.row.status == SyncStatus.ERROR and self.row.app_id is None
        query = urlencode({"url": self.row.url})
        return f"{reverse('dashboard:app-add')}?{query}" if is_lost and self.row.url else ""


@dataclass(frozen=True, slots=True)
class SyncsPage:
    items: Sequence[SyncLink]
    open: SyncDetail | None
    newer_url: str
    older_url: str


def syncs_of(rows: QuerySet[Sync], query: QueryDict, path: str) -> SyncsPage:
    """The latest is open where none is chosen. At most four queries. Raises Http404."""
    page = syncs_page(rows, sync_position(query))
    kept = {key: str(query[key]) for key in (NEWER, OLDER) if query.get(key)}
    chosen = _chosen(rows, page.items, query.get(CHOSEN, ""))
    return SyncsPage(
        items=[_link(row, path, kept) for row in page.items],
        open=_detail(chosen) if chosen else None,
        newer_url=page_url(path, {}, NEWER, page.newer),
        older_url=page_url(path, {}, OLDER, page.older),
    )


def _chosen(rows: QuerySet[Sync], shown: Sequence[Sync], wanted: str) -> Sync | None:
    if not wanted:
        return shown[0] if shown else None
    try:
        sync_id = UUID(wanted)
    except ValueError:
        raise Http404("no such sync") from None
    found = next((row for row in shown if row.id == sync_id), None) or rows.filter(id=sync_id).first()
    if found is None:
        raise Http404("no such sync")
    return found


def _link(row: Sync, path: str, kept: Mapping[str, str]) -> SyncLink:
    return SyncLink(
        id=row.id,
        badge=_BADGES[SyncStatus(row.status)],
        title=_summary(row),
        url=f"{path}?{urlencode({**kept, CHOSEN: str(row.id)})}",
        synced_at=in_ms(row.last_synced_at),
        repeats=row.repeats,
    )


def _summary(row: Sync) -> str:
    """In a few words, what came of it."""
    if row.status == SyncStatus.ERROR:
        return error_texts(row.error_code)[0]
    counts = (("added", row.added), ("changed", row.changed), ("removed", row.removed))
    told = [f"{len(slugs)} {what}" for what, slugs in counts if slugs]
    return ", ".join(told) or f"{row.function_count} function{'' if row.function_count == 1 else 's'}"


def _detail(row: Sync) -> SyncDetail:
    _, hint = error_texts(row.error_code) if row.status == SyncStatus.ERROR else ("", "")
    return SyncDetail(
        row=row,
        badge=_BADGES[SyncStatus(row.status)],
        title=_summary(row),
        created_at=in_ms(row.created_at),
        synced_at=in_ms(row.last_synced_at),
        sdk=" ".join(filter(None, (row.sdk_language, row.sdk_version))),
        error_hint=hint,
        groups=_groups(row),
        warnings=row.warnings[:MAX_WARNINGS],
        more_warnings=max(0, len(row.warnings) - MAX_WARNINGS),
    )


def _groups(row: Sync) -> list[ChangeGroup]:
    shown = [*row.added[:MAX_FUNCTIONS], *row.changed[:MAX_FUNCTIONS], *row.removed[:MAX_FUNCTIONS]]
    if not shown:
        return []
    names = names_of_functions(row, shown)
    settings = _settings(row)
    groups = (
        ("Added", "ok", row.added),
        ("Changed", "busy", row.changed),
        ("Removed", "bad", row.removed),
    )
    return [_group(title, tone, slugs, names, settings) for title, tone, slugs in groups if slugs]


def _settings(row: Sync) -> dict[str, list[Change]]:
    """By slug, of the functions that the sync changed."""
    if not row.changed:
        return {}
    versions = brought_versions(row, row.changed[:MAX_FUNCTIONS])
    return {version.slug: config_changes(version.before or "", version.config) for version in versions}  # type: ignore[attr-defined]


def _group(
    title: str,
    tone: str,
    slugs: Sequence[str],
    names: Mapping[str, str],
    settings: Mapping[str, Sequence[Change]],
) -> ChangeGroup:
    shown = [
        FunctionChange(
            slug=slug,
            name=names.get(slug, slug),
            url=reverse("dashboard:function", args=[slug]) if slug in names else "",
            settings=settings.get(slug, ()),
        )
        for slug in slugs[:MAX_FUNCTIONS]
    ]
    return ChangeGroup(title, tone, len(slugs), shown, len(slugs) - len(shown))
