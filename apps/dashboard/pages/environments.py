"""The list of an organisation's environments: production and custom ones, and branches in pages."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet
from django.http import QueryDict

from apps.dashboard.gates import Gate, gate_of
from apps.dashboard.moments import in_ms
from apps.dashboard.places import environment_url, organisation_url
from apps.dashboard.selectors.environments import visible_qs
from apps.dashboard.switching import colour_of, kind_of
from apps.registry.models import App
from apps.tenancy.access import Access
from apps.tenancy.models import Environment, EnvironmentType
from apps.tenancy.permissions import Permission

BRANCHES_EACH: Final = 25
MAX_ROOTS: Final = 200
_MAX_PAGE: Final = 1_000


@dataclass(frozen=True, slots=True)
class EnvironmentRow:
    """Times in ms; `archives_at` is set where the branch is archived by itself."""

    id: UUID
    name: str
    slug: str
    kind: str
    colour: str
    url: str
    keys_url: str
    app_count: int
    synced_at: int | None
    archives_at: int | None
    is_archived: bool
    is_auto_archived: bool
    is_permanent: bool
    archive_url: str
    unarchive_url: str
    auto_url: str
    delete_url: str


@dataclass(frozen=True, slots=True)
class EnvironmentsPage:
    roots: list[EnvironmentRow]
    branches: list[EnvironmentRow]
    query: str
    shows_archived: bool
    newer_page: int
    older_page: int
    gate: Gate
    create_url: str
    branch_keys_url: str

    @property
    def is_searched(self) -> bool:
        return bool(self.query)


def environments_page(access: Access, query: QueryDict) -> EnvironmentsPage:
    text, shows_archived = query.get("q", "").strip()[:100], query.get("archived") == "1"
    page = _page_number(query.get("page", ""))
    rows = _matching(visible_qs(access), text, shows_archived)
    roots = list(rows.filter(parent=None).order_by("name_norm", "id")[:MAX_ROOTS])
    roots.sort(key=lambda row: (row.type != EnvironmentType.PRODUCTION, row.type != EnvironmentType.TEST))
    branches = list(_branches(rows)[page * BRANCHES_EACH : (page + 1) * BRANCHES_EACH + 1])
    shown = branches[:BRANCHES_EACH]
    counts = _app_counts([row.id for row in (*roots, *shown)])
    parent = next((row for row in roots if row.type == EnvironmentType.BRANCH_PARENT), None)
    return EnvironmentsPage(
        roots=[_row(access, row, counts) for row in roots],
        branches=[_row(access, row, counts) for row in shown],
        query=text,
        shows_archived=shows_archived,
        newer_page=page - 1,
        older_page=page + 1 if len(branches) > BRANCHES_EACH else 0,
        gate=gate_of(access, Permission.ENVIRONMENT_MANAGE),
        create_url=organisation_url(access.account, "environment-create"),
        branch_keys_url=environment_url(access.account, parent, "dashboard:event-keys") if parent else "",
    )


def _matching(rows: QuerySet[Environment], text: str, shows_archived: bool) -> QuerySet[Environment]:
    rows = rows.filter(archived_at__isnull=not shows_archived)
    return rows.filter(Q(name__icontains=text) | Q(slug__icontains=text)) if text else rows


def _branches(rows: QuerySet[Environment]) -> QuerySet[Environment]:
    branches = rows.filter(type=EnvironmentType.BRANCH_CHILD)
    return branches.order_by(F("last_synced_at").desc(nulls_last=True), "-created_at", "id")


def _app_counts(ids: Collection[UUID]) -> dict[UUID, int]:
    rows = App.objects.filter(environment_id__in=ids, archived_at=None).exclude(name="")
    return dict(rows.values_list("environment_id").annotate(count=Count("id")).order_by())


def _row(access: Access, row: Environment, counts: dict[UUID, int]) -> EnvironmentRow:
    account = access.account
    return EnvironmentRow(
        id=row.id,
        name=row.name,
        slug=row.slug,
        kind=kind_of(row),
        colour=colour_of(row),
        url=environment_url(account, row, "dashboard:runs"),
        keys_url=environment_url(account, row, "dashboard:event-keys"),
        app_count=counts.get(row.id, 0),
        synced_at=in_ms(row.last_synced_at),
        archives_at=in_ms(row.auto_archive_at) if row.is_auto_archived and not row.is_archived else None,
        is_archived=row.is_archived,
        is_auto_archived=row.is_auto_archived,
        is_permanent=row.type in (EnvironmentType.BRANCH_PARENT, EnvironmentType.PRODUCTION),
        archive_url=organisation_url(account, "environment-archive", row.id),
        unarchive_url=organisation_url(account, "environment-unarchive", row.id),
        auto_url=organisation_url(account, "environment-auto", row.id),
        delete_url=organisation_url(account, "environment-delete", row.id),
    )


def _page_number(text: str) -> int:
    return min(int(text), _MAX_PAGE) if text.isascii() and text.isdigit() and len(text) < 6 else 0
