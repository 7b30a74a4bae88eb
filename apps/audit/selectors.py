"""Reading the audit log. Every query names its account."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.audit.exceptions import InvalidCursor
from apps.audit.models import ActorKind, AuditEntry

# The first parts of actions, for a filter's choices.
FAMILIES = (
    *("account", "member", "invitation", "environment", "key", "webhook", "token", "user", "sso"),
    *("app", "function", "run", "cancellation", "event", "support", "audit"),
)
PAGE = 50
_MOST = 200
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """All that is given must hold. `since` is included, `until` is not. `family` is the first part of an
    action, `text` is looked for in the labels of actor and target and in the action."""

    since: datetime | None = None
    until: datetime | None = None
    actor_kind: ActorKind | None = None
    actor_id: str = ""
    family: str = ""
    action: str = ""
    target_type: str = ""
    target_id: str = ""
    environment_ids: Sequence[UUID] | None = None
    is_success: bool | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Newest first; `next_cursor` is empty on the last page."""

    entries: list[AuditEntry]
    next_cursor: str


def audit_page(
    account_id: UUID, wanted: AuditFilter | None = None, *, cursor: str = "", limit: int = PAGE
) -> AuditPage:
    """Raises InvalidCursor."""
    size = max(1, min(limit, _MOST))
    rows = _entries(account_id, wanted or AuditFilter())
    if cursor:
        rows = rows.filter(number__lt=_number(cursor))
    found = list(rows.order_by("-number")[: size + 1])
    is_last = len(found) <= size
    return AuditPage(found[:size], "" if is_last else str(found[size - 1].number))


def audit_entry(account_id: UUID, entry_id: UUID) -> AuditEntry | None:
    return AuditEntry.objects.filter(account_id=account_id, id=entry_id).first()


def audit_stream(account_id: UUID, wanted: AuditFilter | None = None) -> Iterator[AuditEntry]:
    """All of it, oldest first, without holding it in memory."""
    rows = _entries(account_id, wanted or AuditFilter()).order_by("number")
    return rows.iterator(chunk_size=_CHUNK)


def last_change(account_id: UUID, target_type: str, target_id: str | UUID) -> AuditEntry | None:
    """Who changed a thing last; settings pages say so."""
    rows = AuditEntry.objects.filter(account_id=account_id, is_success=True)
    return rows.filter(target_type=target_type, target_id=str(target_id)).order_by("-number").first()


def _entries(account_id: UUID, wanted: AuditFilter) -> QuerySet[AuditEntry]:
    rows = AuditEntry.objects.filter(account_id=account_id, **_equal(wanted))
    if wanted.since:
        rows = rows.filter(at__gte=wanted.since)
    if wanted.until:
        rows = rows.filter(at__lt=wanted.until)
    if wanted.family:
        rows = rows.filter(action__startswith=f"{wanted.family}.")
    if wanted.environment_ids is not None:
        rows = rows.filter(environment_id__in=wanted.environment_ids)
    if wanted.is_success is not None:
        rows = rows.filter(is_success=wanted.is_success)
    return rows.filter(_holds(wanted.text)) if wanted.text else rows


def _equal(wanted: AuditFilter) -> dict[str, str]:
    names = ("actor_kind", "actor_id", "action", "target_type", "target_id")
    return {name: value for name in names if (value := getattr(wanted, name))}


def _holds(text: str) -> Q:
    return (
        Q(actor_label__icontains=text) | Q(target_label__icontains=text) | Q(action__icontains=text.lower())
    )


def _number(cursor: str) -> int:
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise InvalidCursor
    return int(cursor)
