"""Which functions an event may start, by name (spec 02, 1.2); expressions are evaluated by the runner."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from apps.engine.functions import FunctionSpec, Trigger

_SEPARATORS = "/."
_MAX_REMEMBERED_NAMES = 10_000


class Candidate(NamedTuple):
    """A function and those of its triggers that match the event's name, in declaration order."""

    spec: FunctionSpec
    triggers: Sequence[Trigger]


class _Place(NamedTuple):
    function: int
    trigger: int


def patterns_for(event_name: str) -> tuple[str, ...]:
    """The trigger names that match an event name: itself, then a wildcard for each prefix, each once."""
    patterns = [event_name]
    patterns += [
        f"{event_name[:position]}{character}*"
        for position, character in enumerate(event_name)
        if character in _SEPARATORS
    ]
    return tuple(dict.fromkeys(patterns))


class TriggerIndex:
    """The event triggers of one environment's functions; immutable, build a new one after a sync."""

    def __init__(self, specs: Iterable[FunctionSpec]) -> None:
        self._specs = tuple(specs)
        self._places: dict[str, list[_Place]] = {}
        self._remembered: dict[str, tuple[Candidate, ...]] = {}
        for function, spec in enumerate(self._specs):
            for trigger, declared in enumerate(spec.triggers):
                if declared.event:
                    self._places.setdefault(declared.event, []).append(_Place(function, trigger))

    def candidates(self, event_name: str) -> tuple[Candidate, ...]:
        """The functions with a trigger for this name, in the order in which they were given."""
        known = self._remembered.get(event_name)
        if known is None:
            known = self._find(event_name)
            if len(self._remembered) >= _MAX_REMEMBERED_NAMES:
                self._remembered.clear()
            self._remembered[event_name] = known
        return known

    def _find(self, event_name: str) -> tuple[Candidate, ...]:
        matching: dict[int, list[Trigger]] = {}
        places = [place for pattern in patterns_for(event_name) for place in self._places.get(pattern, ())]
        for place in sorted(places):
            matching.setdefault(place.function, []).append(
                self._specs[place.function].triggers[place.trigger]
            )
        return tuple(Candidate(self._specs[function], triggers) for function, triggers in matching.items())
