"""What a function allows, in the form in which its node in the queue holds it."""

from apps.engine.flow.leaves import concurrency_keys, key_version
from apps.engine.functions import FunctionSpec, Throttle
from apps.engine.store.client import Argument


def own_limit(spec: FunctionSpec) -> int | str:
    """The limit of the function itself on concurrent steps; empty where it has none."""
    limits = [
        rule.limit for rule in spec.concurrency if not rule.key and rule.scope == "fn" and rule.limit > 0
    ]
    return min(limits) if limits else ""


def throttle_times(throttle: Throttle) -> tuple[float, float]:
    """Emission interval and tolerance of GCRA in ms (spec 02, 4.1)."""
    interval = throttle.period_ms / throttle.limit
    return interval, interval * (throttle.limit + throttle.burst)


def node_limits(spec: FunctionSpec) -> list[Argument]:
    """In the order of LIMITS in 50_schedule.lua; an empty text where there is no limit."""
    keyed = [rule.limit for rule in concurrency_keys(spec)]
    runs = [rule.limit for rule in spec.run_concurrency]
    times = [repr(time) for time in throttle_times(spec.throttle)] if spec.throttle else ["", ""]
    switches = ["1" if spec.paused else "", "1" if spec.drained else ""]
    return [own_limit(spec), *switches, key_version(spec), *_two(keyed), *times, *_two(runs)]


def _two(limits: list[int]) -> list[Argument]:
    padded: list[Argument] = [*limits, "", ""]
    return padded[:2]
