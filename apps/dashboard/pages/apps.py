"""The apps list: four queries, whatever the number of apps."""

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from django.db.models import Max, OuterRef, Subquery

from apps.dashboard.moments import in_ms
from apps.dashboard.presenters.apps import AppCard, app_card
from apps.registry import selectors
from apps.registry.choices import SyncStatus
from apps.registry.models import Function, Sync


def app_cards(environment_id: UUID) -> list[AppCard]:
    """Failing apps first, then by name."""
    apps = list(selectors.apps_qs(environment_id).annotate(sync_warnings=_last_warnings(environment_id)))
    functions: dict[UUID, list[Function]] = defaultdict(list)
    for function in selectors.functions_qs(environment_id):
        functions[function.app_id].append(function)
    synced_at = _synced_at_ms(environment_id, [app.id for app in apps])
    cards = [app_card(app, functions[app.id], synced_at.get(app.id), app.sync_warnings or ()) for app in apps]
    return sorted(cards, key=lambda card: (not card.error, card.title.lower()))


def last_unattached_sync_ms(environment_id: UUID) -> int | None:
    """When something last failed to register before it was known which app it is."""
    latest = selectors.unattached_syncs_qs(environment_id).values_list("last_synced_at", flat=True).first()
    return in_ms(latest)


def _last_warnings(environment_id: UUID) -> Subquery:
    """Those of each app's last sync that changed something: what came since is the same configuration."""
    rows = Sync.objects.filter(environment_id=environment_id, app=OuterRef("pk"), status=SyncStatus.SUCCESS)
    return Subquery(rows.order_by("-last_synced_at", "id").values("warnings")[:1])


def _synced_at_ms(environment_id: UUID, app_ids: Collection[UUID]) -> dict[UUID, int]:
    """When each app last synced without an error."""
    rows = Sync.objects.filter(environment_id=environment_id, app_id__in=app_ids)
    latest = rows.exclude(status=SyncStatus.ERROR).values_list("app_id").annotate(at=Max("last_synced_at"))
    return {app_id: int(at.timestamp() * 1000) for app_id, at in latest if app_id is not None}
