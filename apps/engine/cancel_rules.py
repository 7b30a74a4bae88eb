"""The pauses by which events cancel a run (spec 01, 10.4; spec 02, 7.6)."""

from collections.abc import Mapping

from apps.engine import expressions, pause_index
from apps.engine.functions import CancelRule, FunctionSpec
from apps.engine.protocol import dates
from apps.engine.protocol.durations import DurationError
from apps.engine.store.client import Argument

_DEFAULT_MS = 365 * 86_400_000


def cancel_pauses(
    spec: FunctionSpec, run_id: str, event: Mapping[str, object], after: str, now: int
) -> list[Argument]:
    """`n x (id, event, expression, bucket, path, covered, expires, after)`, as `schedule` reads them.

    `event` is the run's first event; only entries of the event stream after the one with the id `after`
    cancel it, all where it is empty.
    """
    pauses: list[list[Argument]] = []
    for number, rule in enumerate(spec.cancel):
        index = _index(rule, event)
        if index is not None:
            name = f"{run_id}.cancel{number}"
            pauses.append([name, rule.event, rule.expression, *index, _expiry(rule, now), after])
    return [len(pauses), *(argument for pause in pauses for argument in pause)]


def _index(rule: CancelRule, event: Mapping[str, object]) -> tuple[str, str, str] | None:
    """(bucket, path, covered) of a cancel rule; None when it can never apply to this event."""
    if not rule.expression:
        return "*", "*", "1"
    try:
        program = expressions.compile_expression(rule.expression)
    except expressions.ExpressionError:
        return None
    state = expressions.cancel_state(program, event)
    if state == "never":
        return None
    if state == "always":
        return "*", "*", "1"
    bucket, path, is_covered = pause_index.index_of(program, event)
    return bucket, path, "1" if is_covered else "0"


def _expiry(rule: CancelRule, now: int) -> int:
    if not rule.timeout:
        return now + _DEFAULT_MS
    try:
        return dates.parse_due_ms(rule.timeout, now)
    except DurationError:
        return now + _DEFAULT_MS
