"""The only place that locks rows of the registry; callers hold a transaction open."""

from uuid import UUID

from apps.registry.models import App


def lock_app_by_name(environment_id: UUID, name: str) -> App | None:
    """The app of that SDK id, archived or not, locked until the transaction ends."""
    return App.objects.select_for_update().filter(environment_id=environment_id, name=name).first()


def lock_app(environment_id: UUID, app_id: UUID) -> App | None:
    return App.objects.select_for_update().filter(environment_id=environment_id, id=app_id).first()
