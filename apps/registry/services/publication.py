"""Telling the engine about functions: after each commit, and all of them when a server starts."""

from collections.abc import Awaitable, Callable, Iterable
from uuid import UUID

from apps.engine import bridge
from apps.engine.engine import Engine
from apps.engine.functions import FunctionSpec
from apps.registry import selectors
from apps.registry.models import App, Function

Send = Callable[[Engine, list[FunctionSpec]], Awaitable[None]]


def publish(app_id: UUID, function_ids: Iterable[UUID]) -> None:
    """Publish what the database now says of these functions; until that succeeds the app stays pending.

    Raises what the engine raises: the next sync of the app then publishes all of its functions.
    """
    ids = list(function_ids)
    _publish_until_true(
        lambda: selectors.specs_by_id(ids), lambda engine, specs: engine.publish_functions(specs)
    )
    App.objects.filter(id=app_id, publish_pending=True).update(publish_pending=False)


def publish_all_of(app_id: UUID) -> None:
    publish(app_id, Function.objects.filter(app_id=app_id).values_list("id", flat=True))


def republish_all() -> int:
    """Give the engine every function, also the archived ones, whose runs may go on; how many are live.

    For the start of a server: it repairs an empty Redis and whatever a crash left unpublished.
    """
    published = _publish_until_true(
        lambda: [*selectors.live_specs(), *selectors.archived_specs()],
        lambda engine, specs: engine.restore_functions(specs),
    )
    App.objects.filter(publish_pending=True).update(publish_pending=False)
    return sum(not spec.archived for spec in published)


def _publish_until_true(read: Callable[[], list[FunctionSpec]], send: Send) -> list[FunctionSpec]:
    """Publish what `read` says, and again if it says something else afterwards; what was published last.

    Nobody holds a lock while the engine is told, so two commits may be published in the wrong order: the
    one that publishes last then sees that it was late, and mends it.
    """
    specs = read()
    while True:
        _publish(specs, send)
        current = read()
        if current == specs:
            return specs
        specs = current


def _publish(specs: list[FunctionSpec], send: Send) -> None:
    if specs:
        bridge.engine_call(lambda engine: send(engine, specs))
