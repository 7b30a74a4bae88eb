"""Python's cyclic garbage collector in processes that serve requests."""

import gc

_THRESHOLD = 20_000


def calm_garbage_collector() -> None:
    """Leave what start-up made out of collections, and collect less often.

    A request makes a few hundred short-lived objects and hardly a cycle; looking for some took a sixth
    of a worker's time (docs/benchmarks.md). Call it once, when everything is imported.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_THRESHOLD, 20, 20)
