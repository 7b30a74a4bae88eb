"""The id of a request on a thin path: in its answer and its log lines, as apps/server/requests.py gives one
to those of Django. Made of a counter, since a ULID takes longer than all the rest of this."""

import re
from collections.abc import Mapping
from itertools import count
from typing import Final

from apps.engine import clock, log_context
from apps.engine.protocol.ids import new_ulid

HEADER: Final = b"x-request-id"
_GIVEN: Final = re.compile(rb"[\w.:-]{1,40}")  # as there; \w of bytes is ASCII


class RequestIds:
    """Ids of one process: the ULID of its start, then a number."""

    def __init__(self) -> None:
        self._prefix = new_ulid(clock.now_ms())
        self._numbers = count(1)

    def begin(self, headers: Mapping[bytes, bytes]) -> tuple[bytes, bytes]:
        """The header of the answer, with a proxy's id where it sent a good one.
        Log lines have it from now on."""
        given = headers.get(HEADER)
        if given is not None and _GIVEN.fullmatch(given):
            request_id = given.decode()
        else:
            request_id = f"{self._prefix}-{next(self._numbers):x}"
        log_context.begin(request_id=request_id)
        return HEADER, request_id.encode()
