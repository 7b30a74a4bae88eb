"""Values of the registry's enumerated columns."""

from django.db.models import TextChoices


class AppMethod(TextChoices):
    """How the engine reaches an app: calls to its URL, or a connection that its workers hold."""

    SERVE = "serve"
    CONNECT = "connect"


class SyncStatus(TextChoices):
    """Outcome of a register attempt; `duplicate` means the configuration was the current one."""

    SUCCESS = "success"
    DUPLICATE = "duplicate"
    ERROR = "error"
