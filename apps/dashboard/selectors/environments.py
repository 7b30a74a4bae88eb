"""The environments that a person sees, as the switchers and lists of pages need them."""

from django.db.models import F, Q, QuerySet

from apps.tenancy.access import Access
from apps.tenancy.models import Environment, EnvironmentType


def visible_qs(access: Access) -> QuerySet[Environment]:
    """Archived ones too. A restricted member sees some, and the branches of a parent that is among them."""
    rows = access.account.environments.filter(delete_requested_at=None)
    membership = access.membership
    if membership is None or not membership.is_restricted:
        return rows
    seen = [row.id for row in membership.environments.all()]
    return rows.filter(Q(id__in=seen) | Q(parent_id__in=seen))


def own_environments(access: Access) -> list[Environment]:
    """Live ones with keys of their own: production, custom and the parent of branches, by name."""
    rows = visible_qs(access).filter(parent=None, archived_at=None)
    return list(rows.order_by("name_norm", "id"))


def recent_branches(access: Access, limit: int) -> list[Environment]:
    """Live branches, the latest sync first."""
    rows = visible_qs(access).filter(type=EnvironmentType.BRANCH_CHILD, archived_at=None)
    return list(rows.order_by(F("last_synced_at").desc(nulls_last=True), "-created_at")[:limit])
