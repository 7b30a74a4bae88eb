"""Values of the enumerated columns of operations (spec 02, 7.9; spec 03, 4.7)."""

from django.db.models import TextChoices


class CancellationKind(TextChoices):
    BULK_RUN = "bulk_run"
    RUN = "run"
    BACKLOG = "backlog"
    START_TIMEOUT = "start_timeout"
    FINISH_TIMEOUT = "finish_timeout"


class CancellationCause(TextChoices):
    """Who asked: `none` is the platform itself, `manual` a person on a page."""

    NONE = "none"
    EVENT = "event"
    MANUAL = "manual"
    API = "api"


class CancellationStatus(TextChoices):
    """`deleted` stopped where it was and is shown no more."""

    RUNNING = "running"
    FINISHED = "finished"
    DELETED = "deleted"
