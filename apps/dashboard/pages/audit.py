"""The audit log as a page: filters in the URL, entries with what they changed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.http import QueryDict
from django.utils import timezone

from apps.audit.models import ActorKind, AuditEntry
from apps.audit.selectors import FAMILIES, AuditFilter, audit_page
from apps.dashboard.moments import in_ms
from apps.dashboard.selectors.environments import visible_qs
from apps.tenancy.access import Access
from apps.tenancy.models import Environment

RANGES: Final = (("", "Any time"), ("1", "Last day"), ("7", "Last week"), ("30", "Last month"))
_MAX_TEXT: Final = 100
_MAX_ENVIRONMENTS: Final = 100


@dataclass(frozen=True, slots=True)
class AuditFilters:
    """As the URL has them; what is unknown counts as not given."""

    text: str
    family: str
    actor: str
    days: str
    environment: str
    environments: list[tuple[str, str]]

    @property
    def is_active(self) -> bool:
        return any((self.text, self.family, self.actor, self.days, self.environment))

    def query(self) -> dict[str, str]:
        values = {
            "q": self.text,
            "family": self.family,
            "actor": self.actor,
            "days": self.days,
            "environment": self.environment,
        }
        return {name: value for name, value in values.items() if value}

    @property
    def families(self) -> tuple[str, ...]:
        return FAMILIES

    @property
    def actors(self) -> list[tuple[str, str]]:
        return [(str(kind), kind.label) for kind in ActorKind]

    @property
    def ranges(self) -> tuple[tuple[str, str], ...]:
        return RANGES


@dataclass(frozen=True, slots=True)
class AuditRow:
    """`changes` holds name, before and after, as texts."""

    id: UUID
    number: int
    at: int
    action: str
    actor: str
    actor_kind: str
    ip: str
    user_agent: str
    target: str
    target_type: str
    environment: str
    request_id: str
    is_success: bool
    changes: list[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class AuditView:
    items: list[AuditRow]
    next_cursor: str
    is_first: bool


def audit_filters(access: Access, query: QueryDict) -> AuditFilters:
    rows = visible_qs(access).order_by("parent_id", "name_norm")[:_MAX_ENVIRONMENTS]
    known = [(str(row.id), row.name) for row in rows]
    return AuditFilters(
        text=query.get("q", "").strip()[:_MAX_TEXT],
        family=_known(query.get("family", ""), FAMILIES),
        actor=_known(query.get("actor", ""), ActorKind.values),
        days=_known(query.get("days", ""), [value for value, _ in RANGES]),
        environment=_known(query.get("environment", ""), [value for value, _ in known]),
        environments=known,
    )


def wanted_of(filters: AuditFilters) -> AuditFilter:
    return AuditFilter(
        since=timezone.now() - timedelta(days=int(filters.days)) if filters.days else None,
        actor_kind=ActorKind(filters.actor) if filters.actor else None,
        family=filters.family,
        environment_ids=[UUID(filters.environment)] if filters.environment else None,
        text=filters.text,
    )


def audit_view(access: Access, filters: AuditFilters, cursor: str) -> AuditView:
    """Raises InvalidCursor."""
    page = audit_page(access.account.id, wanted_of(filters), cursor=cursor)
    ids = {entry.environment_id for entry in page.entries if entry.environment_id}
    rows = Environment.objects.filter(account=access.account, id__in=ids)
    names = dict(rows.values_list("id", "name"))
    return AuditView([_row(entry, names) for entry in page.entries], page.next_cursor, not cursor)


def _row(entry: AuditEntry, names: Mapping[UUID, str]) -> AuditRow:
    return AuditRow(
        id=entry.id,
        number=entry.number,
        at=in_ms(entry.at),
        action=entry.action,
        actor=entry.actor_label,
        actor_kind=ActorKind(entry.actor_kind).label,
        ip=entry.ip or "",
        user_agent=entry.user_agent,
        target=entry.target_label or entry.target_id,
        target_type=entry.target_type,
        environment=names.get(entry.environment_id, "") if entry.environment_id else "",
        request_id=entry.request_id,
        is_success=entry.is_success,
        changes=_changes(entry.before, entry.after),
    )


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    names = dict.fromkeys([*before, *after])
    return [(name, _text(before.get(name)), _text(after.get(name))) for name in names]


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _known(text: str, values: Any) -> str:
    return text if text in values else ""
