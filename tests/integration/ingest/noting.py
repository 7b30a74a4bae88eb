"""What a buffer of refusals holds, without the times."""

from apps.refusals.buffer import RefusalBuffer
from apps.refusals.refusal import Refusal
from apps.tenancy.models import DEV_ENVIRONMENT_ID

ENV = str(DEV_ENVIRONMENT_ID)


def noted(buffer: RefusalBuffer) -> list[tuple[Refusal, int, str]]:
    """(refusal, how often, end of the key) of all that was noted since the last call."""
    tallies, overflow = buffer.take()
    assert overflow == 0
    return [(refusal, tally.count, tally.key_end) for refusal, tally in tallies.items()]


def body_id(value: object) -> str | None:
    """The name of a body among a test's parameters, however large it is."""
    return f"{len(value)}-bytes" if isinstance(value, bytes) else None
