"""Where a pause is filed, so that an event finds it without looking at the others (design 4.2)."""

from collections.abc import Mapping

import msgspec

from apps.engine import expressions

EVERY = "*"


def index_of(program: expressions.Program, event: Mapping[str, object]) -> tuple[str, str, bool]:
    """(bucket, path, whether the bucket says all that the expression asks) for a run's first event.

    The bucket and the path are `EVERY` where no equality can serve as an index.
    """
    found = expressions.equality_terms(program, event)
    if not found.terms:
        return EVERY, EVERY, False
    path, value = found.terms[0]
    covers_all = found.is_complete and len(found.terms) == 1
    return expressions.index_key(path, value), msgspec.json.encode(path).decode(), covers_all
