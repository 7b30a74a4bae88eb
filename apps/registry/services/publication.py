"""Telling the engine about functions: after each commit, and all of them when a server starts."""

from collections.abc import Iterable
from uuid import UUID

from apps.engine import bridge
from apps.engine.functions import FunctionSpec
from apps.registry import selectors
from apps.registry.models import App, Function


def publish(app_id: UUID, function_ids: Iterable[UUID]) -> None:
    """Publish what the database now says of these functions; until that succeeds the app stays pending.

    Raises what the engine raises: the next sync of the app then publishes all of its functions.
    """
    specs, archived_ids = selectors.specs_by_id(function_ids)
    _publish(specs, [str(function_id) for function_id in archived_ids])
    App.objects.filter(id=app_id, publish_pending=True).update(publish_pending=False)


def publish_all_of(app_id: UUID) -> None:
    publish(app_id, Function.objects.filter(app_id=app_id).values_list("id", flat=True))


def republish_all() -> int:
    """Give the engine every function, also the archived ones, whose runs may go on; how many are live.

    For the start of a server: it repairs an empty Redis and whatever a crash left unpublished.
    """
    live = selectors.live_specs()
    specs = [*live, *selectors.archived_specs()]
    if specs:
        bridge.engine_call(lambda engine: engine.restore_functions(specs))
    App.objects.filter(publish_pending=True).update(publish_pending=False)
    return len(live)


def _publish(specs: list[FunctionSpec], archived_ids: list[str]) -> None:
    if specs or archived_ids:
        bridge.engine_call(lambda engine: engine.publish_functions(specs, archived_ids))
