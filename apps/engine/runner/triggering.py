"""Which functions an event starts (spec 02, 1.2 and 1.3)."""

from collections.abc import Sequence

from apps.engine import expressions
from apps.engine.functions import FunctionSpec, Trigger
from apps.engine.runner.incoming import Incoming
from apps.engine.store.functions import FunctionCache
from apps.engine.triggers import TriggerIndex


class Triggering:
    """The trigger indices of all environments, rebuilt when the functions have changed."""

    def __init__(self, functions: FunctionCache) -> None:
        self._functions = functions
        self._version: int | None = None
        self._indices: dict[str, TriggerIndex] = {}

    def target(self, incoming: Incoming) -> FunctionSpec | None:
        """The live function that an invoke, a cron tick or what was held back is aimed at.

        An open batch runs although its function has been archived since (spec 02, 12.6).
        """
        if incoming.is_batch:
            return self._functions.get(incoming.entry.context.function_id)
        return self._functions.find(incoming.entry.env_id, incoming.entry.context.function_id)

    def lacks_target(self, incoming: Incoming) -> bool:
        """Whether the event is aimed at a function that is not there."""
        context = incoming.entry.context
        is_aimed = bool(context.function_id) or context.source == "invoke"
        return is_aimed and self.target(incoming) is None

    def functions_for(self, incoming: Incoming, failed: list[tuple[str, str]]) -> list[FunctionSpec]:
        """The functions to start; expressions that could not be evaluated are added to `failed`."""
        if incoming.entry.context.function_id:
            target = self.target(incoming)
            return [target] if target else []
        candidates = self._index(incoming.entry.env_id).candidates(incoming.entry.name)
        return [spec for spec, triggers in candidates if _any_matches(spec, triggers, incoming, failed)]

    def _index(self, env_id: str) -> TriggerIndex:
        if self._version != self._functions.version:
            self._indices = self._build()
            self._version = self._functions.version
        return self._indices.get(env_id) or TriggerIndex([])

    def _build(self) -> dict[str, TriggerIndex]:
        by_environment: dict[str, list[FunctionSpec]] = {}
        for spec in self._functions.all():
            if not spec.archived:
                by_environment.setdefault(spec.env_id, []).append(spec)
        return {env_id: TriggerIndex(specs) for env_id, specs in by_environment.items()}


def _any_matches(
    spec: FunctionSpec, triggers: Sequence[Trigger], incoming: Incoming, failed: list[tuple[str, str]]
) -> bool:
    return any(_matches(spec, trigger, incoming, failed) for trigger in triggers)


def _matches(spec: FunctionSpec, trigger: Trigger, incoming: Incoming, failed: list[tuple[str, str]]) -> bool:
    if not trigger.expression:
        return True
    try:
        program = expressions.compile_expression(trigger.expression)
    except expressions.ExpressionError as exc:
        failed.append((spec.id, str(exc)))
        return False
    matched, error = expressions.match_outcome(program, incoming.event)
    if error:
        failed.append((spec.id, error))
    return matched
