"""Status codes of runs and steps (spec 02, 10.1 and 10.2).

The codes are ordered so that merging two records of the same thing, in any order, is `max`, except
that the first terminal status stays.
"""

from typing import Final

from django.db import models


class RunStatus(models.IntegerChoices):
    """`UNKNOWN` is a run of which only later records are stored so far; it belongs to no environment."""

    UNKNOWN = 0, "Unknown"
    OVERFLOWED = 50, "Overflowed"
    SCHEDULED = 100, "Scheduled"
    RUNNING = 200, "Running"
    COMPLETED = 300, "Completed"
    FAILED = 400, "Failed"
    CANCELLED = 500, "Cancelled"
    SKIPPED = 600, "Skipped"


class StepStatus(models.IntegerChoices):
    """An attempt's own outcome (400 and above) replaces `CANCELLED`, which the end of a run implies."""

    QUEUED = 100, "Queued"
    RUNNING = 200, "Running"
    WAITING = 210, "Waiting"
    SLEEPING = 220, "Sleeping"
    INVOKING = 230, "Invoking"
    CANCELLED = 300, "Cancelled"
    COMPLETED = 400, "Completed"
    TIMED_OUT = 410, "TimedOut"
    ERRORED = 420, "Errored"
    FAILED = 430, "Failed"


FIRST_TERMINAL_RUN_STATUS: Final = int(RunStatus.COMPLETED)
FIRST_STEP_OUTCOME: Final = int(StepStatus.COMPLETED)
