"""Which lane of the intake an event goes to: account, environment, and the name of the lane.

An event's lane is its name (`n:app/go`), that of an event which is aimed at a function that function
(`f:<id>`), that of an invoke's answer the environment's answers (`r`). What a function's cancel rules name
shares one lane with what starts it, in any order of the two: an event that cancels must not overtake
the one whose run it cancels.
"""

from collections.abc import Sequence

from apps.engine.event_stream import EventEntry
from apps.engine.functions import FunctionSpec
from apps.engine.runner.lanes import Path
from apps.engine.store.functions import FunctionCache
from apps.engine.triggers import patterns_for

FINISHED = "inngest/function.finished"
_MAX_REMEMBERED = 10_000


class _Families:
    """Lane names that share a lane, which bears the name of the family's head. Families only grow."""

    def __init__(self) -> None:
        self._parents: dict[str, str] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._parents

    def head(self, name: str) -> str:
        while (parent := self._parents[name]) != name:
            name = parent
        return name

    def join(self, names: Sequence[str]) -> None:
        for name in names:
            self._parents.setdefault(name, name)
        heads = {self.head(name) for name in names}
        for head in heads:
            self._parents[head] = min(heads)

    def join_overlapping(self) -> None:
        """Join wildcards with the names that they match."""
        for name in list(self._parents):
            self.join([name, *(pattern for pattern in _patterns(name) if pattern in self)])


class Routes:
    """The lanes of a shard's events under its current functions."""

    def __init__(self, functions: FunctionCache) -> None:
        self._functions = functions
        self._version: int | None = None
        self._families: dict[str, _Families] = {}
        self._remembered: dict[tuple[str, str], str] = {}

    def path(self, entry: EventEntry) -> Path:
        return entry.account_id, entry.env_id, self.lane(entry.env_id, self._own_lane(entry))

    def lane(self, env_id: str, own: str) -> str:
        """The lane that a lane of its own is in now: itself or that of its family."""
        key = (env_id, own)
        known = self._remembered.get(key)
        if known is None:
            if len(self._remembered) >= _MAX_REMEMBERED:
                self._remembered.clear()
            known = self._remembered[key] = self._find(env_id, own)
        return known

    @property
    def is_current(self) -> bool:
        return self._version == self._functions.version

    def update(self, *, may_part: bool) -> bool:
        """Follow the functions; True if they changed. Families part only where `may_part`, for entries
        of a name that are held in one lane must not be overtaken in another."""
        if self.is_current:
            return False
        self._version = self._functions.version
        self._remembered.clear()
        if may_part:
            self._families.clear()
        for spec in self._functions.all():
            if spec.cancel and not spec.archived:
                self._families.setdefault(spec.env_id, _Families()).join(_relatives(spec))
        for families in self._families.values():
            families.join_overlapping()
        return True

    def _own_lane(self, entry: EventEntry) -> str:
        context = entry.context
        if context.function_id:
            spec = self._functions.find(entry.env_id, context.function_id)
            return f"f:{spec.id if spec else context.function_id}"
        if context.correlation_id and entry.name == FINISHED:
            return "r"
        return f"n:{entry.name}"

    def _find(self, env_id: str, own: str) -> str:
        families = self._families.get(env_id)
        if families is None:
            return own
        return next((families.head(name) for name in (own, *_patterns(own)) if name in families), own)


def _relatives(spec: FunctionSpec) -> list[str]:
    names = [trigger.event for trigger in spec.triggers if trigger.event]
    names += [rule.event for rule in spec.cancel]
    return [f"f:{spec.id}", *(f"n:{name}" for name in names)]


def _patterns(own: str) -> list[str]:
    """The lanes of the wildcards that match a lane of an event name."""
    if not own.startswith("n:"):
        return []
    return [f"n:{pattern}" for pattern in patterns_for(own[2:])]
