"""Pausing and draining a function (spec 02, 12.3 and 12.5).

Each service is idempotent and publishes in any case, so that a repetition mends a publication that
failed. They raise FunctionNotFound, and RedisUnavailable after the commit: the switch is stored then,
and the next sync, the next start of a scheduler or a repetition tells the engine.
"""

from typing import Literal
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.registry import locks
from apps.registry.exceptions import FunctionArchived, FunctionNotFound
from apps.registry.models import App, Function
from apps.registry.services import publication
from apps.tenancy.models import Environment

Switch = Literal["paused_at", "drained_at"]


def function_pause(*, environment: Environment, function_id: UUID) -> Function:
    """Send no request of the function and start no run of it; a request under way is finished.

    A function that is paused already keeps the moment since when. Raises FunctionArchived.
    """
    return _switch(environment, function_id, "paused_at", is_on=True)


def function_resume(*, environment: Environment, function_id: UUID) -> Function:
    """Let a paused function's runs go on at once, an archived one's too."""
    return _switch(environment, function_id, "paused_at", is_on=False)


def function_drain(*, environment: Environment, function_id: UUID) -> Function:
    """Start no run of the function; those it has go on to their ends. Raises FunctionArchived."""
    return _switch(environment, function_id, "drained_at", is_on=True)


def function_undrain(*, environment: Environment, function_id: UUID) -> Function:
    return _switch(environment, function_id, "drained_at", is_on=False)


@transaction.atomic
def _switch(environment: Environment, function_id: UUID, switch: Switch, *, is_on: bool) -> Function:
    app, function = _locked(environment, function_id)
    if is_on and function.archived_at is not None:
        raise FunctionArchived
    if (getattr(function, switch) is not None) != is_on:
        setattr(function, switch, timezone.now() if is_on else None)
        function.save(update_fields=[switch, "updated_at"])
    must_publish_all = app.publish_pending
    App.objects.filter(id=app.id).update(publish_pending=True)
    transaction.on_commit(lambda: _publish(function, must_publish_all))
    return function


def _locked(environment: Environment, function_id: UUID) -> tuple[App, Function]:
    """The function under its app's lock, which syncing holds too."""
    rows = Function.objects.filter(environment=environment, id=function_id).defer("config", "spec")
    app_id = rows.values_list("app_id", flat=True).first()
    app = locks.lock_app(environment.id, app_id) if app_id else None
    if app is None:
        raise FunctionNotFound
    return app, rows.get()


def _publish(function: Function, must_publish_all: bool) -> None:
    if must_publish_all:
        publication.publish_all_of(function.app_id)
    else:
        publication.publish(function.app_id, [function.id])
