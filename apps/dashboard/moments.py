"""Times of the database as pages show them: milliseconds since the epoch."""

from datetime import datetime
from typing import overload


@overload
def in_ms(moment: datetime) -> int: ...
@overload
def in_ms(moment: datetime | None) -> int | None: ...
def in_ms(moment: datetime | None) -> int | None:
    return int(moment.timestamp() * 1000) if moment is not None else None
