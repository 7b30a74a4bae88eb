"""Bulk cancellations: asking for one, and taking it back (spec 02, 7.9)."""

from apps.engine import clock
from apps.engine.protocol import ids
from apps.operations import cancellation_rules
from apps.operations.choices import CancellationCause, CancellationStatus
from apps.operations.exceptions import CancellationInvalid, CancellationNotFound
from apps.operations.models import Cancellation
from apps.registry import selectors as registry
from apps.registry.exceptions import FunctionNotFound
from apps.registry.models import Function
from apps.tenancy.models import Environment


def cancellation_create(
    *,
    environment: Environment,
    app_id: str,
    function_id: str,
    started_before: int | None,
    started_after: int | None = None,
    expression: str = "",
    name: str = "",
    cause: CancellationCause = CancellationCause.API,
) -> Cancellation:
    """Cancel the function's live runs of a window (ms, both ends included), in the background.

    `app_id` is the app's id as in the SDK, `function_id` the function's, or its whole slug. Runs that are
    queued, running, sleeping or waiting are cancelled; a run of the window that starts only later, too.
    Raises CancellationInvalid with one problem a line, and the registry's FunctionNotFound.
    """
    now = clock.now_ms()
    found = cancellation_rules.problems(app_id, function_id, started_after, started_before, now)
    if not found and expression and (problem := cancellation_rules.expression_problem(expression)):
        found = [problem]
    if found or started_before is None:
        raise CancellationInvalid("\n".join(found))
    function = registry.function_by_app(environment.id, app_id, function_id)
    if function is None:
        raise FunctionNotFound
    window = (started_after, started_before)
    return begin(function, window, now, expression=expression, name=name, cause=cause)


def cancellation_delete(*, environment: Environment, cancellation_id: str) -> None:
    """Stop a cancellation, at the latest after the batch under way; it revives no run.

    Raises CancellationNotFound, also for one that was deleted before.
    """
    rows = Cancellation.objects.filter(environment=environment, id=cancellation_id)
    rows = rows.exclude(status=CancellationStatus.DELETED)
    if not rows.update(status=CancellationStatus.DELETED):
        raise CancellationNotFound


def begin(
    function: Function,
    window: tuple[int | None, int],
    now: int,
    *,
    cause: CancellationCause,
    expression: str = "",
    name: str = "",
) -> Cancellation:
    """Store a cancellation of the function's runs; the dispatcher finds it within a second."""
    started_after, started_before = window
    return Cancellation.objects.create(
        id=ids.new_ulid(now),
        account_id=function.account_id,
        environment_id=function.environment_id,
        app_id=function.app_id,
        function=function,
        name=name[:100],
        started_after=started_after,
        started_before=started_before,
        expression=expression,
        cause=cause,
        created_at=now,
        due_at=now,
    )
